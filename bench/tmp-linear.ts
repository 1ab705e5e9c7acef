import { report, type Contest } from './measure.ts'
function biased(rows: number, inputs: number, outputs: number): Contest {
  return {
    title: `linear ${rows}x${inputs}x${outputs}`,
    inputs: [[rows, inputs], [outputs, inputs], [outputs]],
    outputs: [[rows, outputs]],
    forms: {
      'Gemm(C)': (emit, inputs) => emit.node('Gemm', inputs, { transB: 1 }),
      'FusedMatMul+Add': (emit, [x = '', w = '', b = '']) => emit.node('Add', [emit.node('FusedMatMul', [x, w], {transA:0,transB:1,alpha:{float:1}}, 'com.microsoft'), b]),
      'FusedMatMul': (emit, [x = '', w = '', b = '']) => emit.node('FusedMatMul', [x, w], {transA:0,transB:1,alpha:{float:1}}, 'com.microsoft'),
    },
  }
}
function total(rows: number, n: number): Contest {
  return { title: `sum over ${rows} rows of ${n}`, inputs: [[rows, n], [1, rows]], outputs: [[n]],
    forms: {
      ReduceSum: (emit, [g = '']) => emit.node('ReduceSum', [g, emit.ints([0])], { keepdims: 0 }),
      'ones MatMul': (emit, [g = '', one = '']) => emit.node('Reshape', [emit.node('MatMul', [one, g]), emit.ints([n])]),
      'Gemm tA': (emit, [g = '', one = '']) => emit.node('Reshape', [emit.node('Gemm', [g, one], {transA: 1, transB: 1}), emit.ints([n])]),
    } }
}

for (const s of [[2048,256,1024],[2048,1024,256],[8192,64,256],[8192,256,64],[4096,128,128],[512,256,512],[64,128,128],[16,32,32]] as const) await report(biased(...s), 3)
