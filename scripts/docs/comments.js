// Doc comments are plain text with `code`: shapes in brackets, products, indices. In Markdown they would be links and emphasis.

/** A text with everything escaped that Markdown would take for markup, besides links and lists. */
export function escapeMarkdown(text) {
  return text
    .split(/(\[[^\]]*\]\([a-z]+:[^)]*\))/)
    .map((piece, i) => (i % 2 === 1 ? piece : piece.replace(/[[\]*_<>$~|]/g, (character) => `\\${character}`)))
    .join('')
    .replace(/^(\s*)\\\* /gm, '$1* ')
}

function plainParts(parts) {
  for (const part of parts) {
    // `[N, S]: keys` looks like the target of a link.
    if (part.kind === 'relative-link') part.kind = 'text'
    if (part.kind === 'text') part.text = escapeMarkdown(part.text)
  }
}

/** Escapes the comments of everything in a project. */
export function plainComments(project) {
  for (const reflection of Object.values(project.reflections)) {
    const { comment } = reflection
    if (!comment) continue
    plainParts(comment.summary)
    for (const tag of comment.blockTags) plainParts(tag.content)
  }
}
