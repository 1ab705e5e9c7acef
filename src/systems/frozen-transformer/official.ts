/** Bodies from files: GPT-2 and BERT of transformers, ViT of timm, checkpoints of the official code. The names are ours already. */
import { skipInit } from '../../nn/init.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { FormatError, ShapeError } from '../../util/errors.ts'
import { makeBody } from './bodies/body.ts'
import type { BodyConfig } from './config.ts'

type State = ReadonlyMap<string, NDArray>

/** A body with its weights, under the names that it has in `sequence_model`. */
export interface GivenBody {
  readonly config: BodyConfig
  readonly weights: State
}

/** A tensor that every body of a kind has, and no other. */
const stems = {
  gpt2: 'h.0.attn.c_attn.weight',
  bert: 'encoder.layer.0.attention.self.query.weight',
  vit: 'blocks.0.attn.qkv.weight',
  lstm: 'params.0.i2h.weight',
} as const satisfies Readonly<Record<BodyConfig['kind'], string>>

/** Tensors that are no part of the computation: constant masks and numbers, heads, and what a ViT has for pictures and classes of its own. */
const unread = {
  gpt2: /\.attn\.(masked_)?bias$/,
  bert: /^(pooler\.|cls\.|embeddings\.(position_ids|token_type_ids)$)/,
  vit: /^(cls_token|pos_embed|patch_embed|head|head_dist|pre_logits|fc_norm)\b/,
  lstm: /^$/,
} as const satisfies Readonly<Record<BodyConfig['kind'], RegExp>>

/** Width of a head in all published models. */
const headWidth = 64

/**
 * The body in a file: a GPT-2 or a BERT with or without a head, a ViT, an LSTM of the official code, or a whole frozen transformer. `heads`: of
 * its attention, which no file says; default: as many as are 64 wide. Throws a FormatError where it is none of these, or not complete.
 */
export function bodyOf(tensors: State, heads?: number): GivenBody {
  for (const kind of ['gpt2', 'bert', 'vit', 'lstm'] as const) {
    const found = below(tensors, stems[kind])
    if (!found) continue
    const weights = new Map([...found].filter(([name]) => !unread[kind].test(name)))
    const config = configOf(kind, weights, heads)
    checkComplete(config, weights)
    return { config, weights }
  }
  throw new FormatError('has no body of a known kind', {
    hint: `a GPT-2 has "${stems.gpt2}", a BERT "${stems.bert}", a ViT "${stems.vit}", the official LSTM "${stems.lstm}"; before them may stand any prefix`,
  })
}

/** The tensors below the prefix that the stem has, without it; undefined where there is none. */
function below(tensors: State, stem: string): State | undefined {
  // The shortest: in a checkpoint of a run the optimizer's state has longer names.
  const [found] = [...tensors.keys()]
    .filter((name) => name === stem || name.endsWith(`.${stem}`))
    .sort((a, b) => a.length - b.length)
  if (found === undefined) return undefined
  const prefix = found.slice(0, -stem.length)
  const own = [...tensors].filter(([name]) => name.startsWith(prefix))
  // Without a prefix, a head beside the body looks like a part of it.
  return new Map(
    own
      .map(([name, array]) => [name.slice(prefix.length), array] as const)
      .filter(([name]) => !/^lm_head\./.test(name)),
  )
}

function configOf(kind: BodyConfig['kind'], weights: State, heads: number | undefined): BodyConfig {
  const size = (name: string, axis: number): number => {
    const found = weights.get(name)?.shape[axis]
    if (found === undefined) throw new FormatError(`is not a complete body: "${name}" is missing`)
    return found
  }
  const layers = (pattern: RegExp): number =>
    new Set([...weights.keys()].flatMap((name) => pattern.exec(name)?.[1] ?? [])).size
  const headsOf = (width: number): number => {
    const count = heads ?? width / headWidth
    if (Number.isInteger(count) && count > 0 && width % count === 0) return count
    throw new FormatError(
      heads === undefined
        ? `a width of ${width} is no multiple of ${headWidth}, so its heads are not known`
        : `its width must be a multiple of the heads, found ${width} and ${heads}`,
      { hint: '--set pretrained.heads=N says how many it has' },
    )
  }
  switch (kind) {
    case 'gpt2': {
      const n_embd = size('wte.weight', 1)
      return {
        kind,
        n_embd,
        vocab_size: size('wte.weight', 0),
        n_positions: size('wpe.weight', 0),
        n_layer: layers(/^h\.(\d+)\./),
        n_head: headsOf(n_embd),
        n_inner: size('h.0.mlp.c_fc.weight', 1),
      }
    }
    case 'bert': {
      const hidden_size = size('embeddings.word_embeddings.weight', 1)
      return {
        kind,
        hidden_size,
        vocab_size: size('embeddings.word_embeddings.weight', 0),
        max_position_embeddings: size('embeddings.position_embeddings.weight', 0),
        type_vocab_size: size('embeddings.token_type_embeddings.weight', 0),
        num_hidden_layers: layers(/^encoder\.layer\.(\d+)\./),
        num_attention_heads: headsOf(hidden_size),
        intermediate_size: size('encoder.layer.0.intermediate.dense.weight', 0),
      }
    }
    case 'vit': {
      const embed_dim = size('norm.weight', 0)
      return {
        ...unreadViT,
        kind,
        embed_dim,
        depth: layers(/^blocks\.(\d+)\./),
        num_heads: headsOf(embed_dim),
        mlp_ratio: size('blocks.0.mlp.fc1.weight', 0) / embed_dim,
        qkv_bias: weights.has('blocks.0.attn.qkv.bias'),
      }
    }
    case 'lstm':
      return { kind, hidden_size: size(stems.lstm, 1), num_layers: layers(/^params\.(\d+)\./) }
  }
}

/** The smallest patches, positions and head that a ViT can have where nothing reads them. */
export const unreadViT = { img_size: 1, patch_size: 1, in_chans: 1, num_classes: 0 } as const

/** Tensors of a body that a file need not have. */
const optional = unread.vit

function checkComplete(config: BodyConfig, weights: State): void {
  const { model } = skipInit(() => makeBody(config, 0))
  try {
    const { missing, unexpected } = model.loadStateDict(weights, { strict: false })
    const needed = missing.filter((name) => !optional.test(name))
    if (needed[0] !== undefined) throw new FormatError(`is not a complete body: "${needed[0]}" is missing`)
    if (unexpected[0] !== undefined)
      throw new FormatError(`has a tensor that no ${config.kind} has: "${unexpected[0]}"`)
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    throw new FormatError(`is not a body of one size: ${error.message}`, { cause: error })
  }
}
