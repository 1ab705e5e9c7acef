/** The pages of the ten systems. */
export interface PageInfo {
  /** Of the system, and so of the page's folder. */
  readonly name: string
  readonly title: string
  readonly papers: readonly { readonly authors: string; readonly title: string; readonly address: string }[]
  /** What one can do on the page. */
  readonly summary: string
}

const all: readonly PageInfo[] = [
  {
    name: 'mixer',
    title: 'MLP-Mixer',
    papers: [
      {
        authors: 'Tolstikhin et al. 2021',
        title: 'MLP-Mixer: An all-MLP Architecture for Vision',
        address: 'https://arxiv.org/abs/2105.01601',
      },
    ],
    summary: 'Train it on digits in a minute, draw one, and see which patches each patch listens to.',
  },
  {
    name: 'fnet',
    title: 'FNet',
    papers: [
      {
        authors: 'Lee-Thorp et al. 2021',
        title: 'FNet: Mixing Tokens with Fourier Transforms',
        address: 'https://arxiv.org/abs/2105.03824',
      },
    ],
    summary: 'Hide a word and have it guessed; a Fourier transform against attention, timed in your browser.',
  },
  {
    name: 'perceiver',
    title: 'Perceiver',
    papers: [
      {
        authors: 'Jaegle et al. 2021',
        title: 'Perceiver: General Perception with Iterative Attention',
        address: 'https://arxiv.org/abs/2103.03206',
      },
    ],
    summary: 'Draw a digit and see which of its pixels each latent reads; then shuffle all pixels.',
  },
  {
    name: 'expire-span',
    title: 'Expire-Span',
    papers: [
      {
        authors: 'Sukhbaatar et al. 2021',
        title: 'Not All Memories are Created Equal: Learning to Forget by Expiring',
        address: 'https://arxiv.org/abs/2105.06548',
      },
    ],
    summary: 'Type a text and watch what is remembered, and for how long.',
  },
  {
    name: 'frozen-transformer',
    title: 'Frozen pretrained transformers',
    papers: [
      {
        authors: 'Lu et al. 2021',
        title: 'Pretrained Transformers as Universal Computation Engines',
        address: 'https://arxiv.org/abs/2103.05247',
      },
    ],
    summary: 'Watch XOR being learned around a body that stays frozen, and thaw parts of it.',
  },
  {
    name: 'involution',
    title: 'Involution and RedNet',
    papers: [
      {
        authors: 'Li et al. 2021',
        title: 'Involution: Inverting the Inherence of Convolution for Visual Recognition',
        address: 'https://arxiv.org/abs/2103.06255',
      },
    ],
    summary: 'Pick a pixel and see the kernel that the network makes for it.',
  },
  {
    name: 'diffusion',
    title: 'Guided diffusion',
    papers: [
      {
        authors: 'Dhariwal and Nichol 2021',
        title: 'Diffusion Models Beat GANs on Image Synthesis',
        address: 'https://arxiv.org/abs/2105.05233',
      },
    ],
    summary: 'Remove noise step by step, with guidance to taste, and see the schedule drawn.',
  },
  {
    name: 'self-supervised',
    title: 'Self-supervised learning',
    papers: [
      {
        authors: 'LeCun and Misra 2021',
        title: 'Self-supervised learning: The dark matter of intelligence',
        address: 'https://ai.meta.com/blog/self-supervised-learning-the-dark-matter-of-intelligence/',
      },
    ],
    summary: 'Watch a representation collapse, switch remedies on, and drag an energy landscape.',
  },
  {
    name: 'clip-video',
    title: 'CLIP music video',
    papers: [
      {
        authors: 'Radford et al. 2021',
        title: 'Learning Transferable Visual Models From Natural Language Supervision',
        address: 'https://arxiv.org/abs/2103.00020',
      },
      {
        authors: 'Brock et al. 2018',
        title: 'Large Scale GAN Training for High Fidelity Natural Image Synthesis',
        address: 'https://arxiv.org/abs/1809.11096',
      },
    ],
    summary: 'Type a line and watch a picture being steered towards it.',
  },
  {
    name: 'translation-bias',
    title: 'Gender bias of translators',
    papers: [
      {
        authors: 'Prates, Avelar and Lamb 2019',
        title: 'Assessing Gender Bias in Machine Translation',
        address: 'https://arxiv.org/abs/1809.02208',
      },
      {
        authors: 'Stanovsky, Smith and Zettlemoyer 2019',
        title: 'Evaluating Gender Bias in Machine Translation',
        address: 'https://arxiv.org/abs/1906.00591',
      },
    ],
    summary: 'Set the proportions in the data and see 60 % become 100 %.',
  },
]

/** The pages that are there, in the order in which they are listed: those whose folder has a Page.svelte. */
export const pages = all.filter(({ name }) => builtSite.names.includes(name))

/** The page of a system. */
export function pageOf(name: string): PageInfo {
  const found = pages.find((page) => page.name === name)
  if (!found) throw new Error(`there is no page "${name}" in src/pages/shell/pages.ts`)
  return found
}
