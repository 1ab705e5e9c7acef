/** What the user has of the released models: CLIP's archives, BigGAN's files, and the fetched vocabulary. Nothing in them is executed. */
import { join } from 'node:path'
import { dataFolder } from '../../data/catalog/cache.ts'
import { readBytes } from '../../data/files.ts'
import { readTensorFile } from '../../io/tensor-file.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { reworded, TenfoldError } from '../../util/errors.ts'
import type { BigGAN } from './biggan/generator.ts'
import { bigganFromState } from './biggan/official.ts'
import { type CLIPTokenizer, readCLIPVocabulary } from './clip/tokenizer.ts'
import type { BigGANConfig } from './config.ts'
import type { CLIP } from './model.ts'
import { clipFromState } from './official.ts'

/** The largest vocabulary that is read, in bytes: the official one unpacked has 3 MB. */
const largestVocabulary = 2 ** 25

/** A model made of the tensors of a file; every error begins with its path. */
async function modelOf<Model>(path: string, make: (state: ReadonlyMap<string, NDArray>) => Model): Promise<Model> {
  const { tensors } = await readTensorFile(path)
  try {
    return make(tensors)
  } catch (error) {
    if (!(error instanceof TenfoldError)) throw error
    throw reworded(error, `${path}: ${error.message}`)
  }
}

/**
 * CLIP from a file: the released TorchScript archive (ViT-B-32.pt), or a state dict in any format. The sizes are those of the tensors;
 * weights of 16 bits become float32.
 */
export function loadCLIP(path: string): Promise<CLIP> {
  return modelOf(path, clipFromState)
}

/** A generator from a file (huggingface's pytorch_model.bin, or safetensors). Default configuration: the released one of that many layers. */
export function loadBigGAN(path: string, config?: BigGANConfig): Promise<BigGAN> {
  return modelOf(path, (state) => bigganFromState(state, config))
}

/** The official vocabulary from a file; default: the one that `tenfold data clip-vocabulary` fetches. */
export async function loadCLIPVocabulary(
  path = join(dataFolder('clip-vocabulary'), 'clip', 'bpe_simple_vocab_16e6.txt.gz'),
): Promise<CLIPTokenizer> {
  return readCLIPVocabulary(await readBytes(path, largestVocabulary), path)
}
