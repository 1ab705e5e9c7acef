import { report, type Contest, type Form } from './measure.ts'
const F = (emit: any, a: string, b: string, transA: number, transB: number) => emit.node('FusedMatMul', [a, b], {transA,transB,alpha:{float:1}}, 'com.microsoft')
const R = (emit: any, a: string, s: number[]) => emit.node('Reshape', [a, emit.ints(s)])
const T = (emit: any, a: string, perm: number[]) => emit.node('Transpose', [a], {perm})
for (const [B,t,C,H] of [[32,196,256,128],[64,49,128,64],[32,49,512,256]] as const) {
  const operations = 2*B*t*C*H
  await report({ title: `dW of W[${H},${t}] x[${B},${t},${C}]`, inputs: [[B,H,C],[B,t,C]], outputs: [[H,t]], operations, forms: {
    'batched+ReduceSum': (e, [g='',x='']) => e.node('ReduceSum', [F(e,g,x,0,1), e.ints([0])], {keepdims:0}),
    'batched+ones': (e, [g='',x='']) => R(e, e.node('MatMul', [e.constant('float32',[1,B],new Float32Array(B).fill(1)), R(e,F(e,g,x,0,1),[B,H*t])]), [H,t]),
    'permute+one': (e, [g='',x='']) => F(e, R(e,T(e,g,[1,0,2]),[H,B*C]), R(e,T(e,x,[1,0,2]),[t,B*C]), 0,1),
  }})
  await report({ title: `fwd W[${H},${t}] x[${B},${t},${C}]`, inputs: [[H,t],[B,t,C]], outputs: [[B,H,C]], operations, forms: {
    'W x': (e, [w='',x='']) => e.node('MatMul', [w,x]),
    'x^T W^T, kept transposed (out [B,C,H])': (e, [w='',x='']) => R(e,F(e,x,w,1,1),[B,H,C]),
    'Transpose, linear (out [B,C,H])': (e, [w='',x='']) => R(e, F(e,R(e,T(e,x,[0,2,1]),[B*C,t]),w,0,1), [B,H,C]),
    'linear alone': (e, [w='',x='']) => R(e, F(e,R(e,x,[B*C,t]),w,0,1), [B,H,C]),
  }})
  await report({ title: `dx of W[${H},${t}] x[${B},${t},${C}]`, inputs: [[H,t],[B,H,C]], outputs: [[B,t,C]], operations, forms: {
    'W^T g': (e, [w='',g='']) => F(e,w,g,1,0),
    'Transpose W, MatMul': (e, [w='',g='']) => e.node('MatMul',[T(e,w,[1,0]),g]),
    'linear then transposed': (e, [w='',g='']) => T(e, R(e, e.node('MatMul',[R(e,g,[B*C,H]),w]), [B,C,t]),[0,2,1]),
  }})
}
