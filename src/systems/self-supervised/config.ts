/** What a method of self-supervised learning declares of itself: the columns of the taxonomy. */

/** How x and y meet: two embeddings compared; y predicted from x; y predicted from x and a latent variable z; no x, y has an energy of its own. */
export type Architecture = 'joint embedding' | 'predictive' | 'latent-variable predictive' | 'energy of y alone'

/** How a collapse, the same energy everywhere, is avoided. */
export type Remedy = 'contrastive' | 'clustering' | 'distillation' | 'information maximisation' | 'regularised latent'

/** A method's row in the taxonomy, told by its own file. */
export interface Declaration {
  /** As settings and commands name it. */
  readonly name: string
  readonly title: string
  /** Authors, year and identifier. */
  readonly paper: string
  readonly architecture: Architecture
  readonly remedy: Remedy
  /** F(x, y) or E(x, y, z): for inference. */
  readonly energy: string
  /** What training minimises. */
  readonly loss: string
  /** What pushes up the energy of other y, or keeps it from being low everywhere. */
  readonly collapse: string
}
