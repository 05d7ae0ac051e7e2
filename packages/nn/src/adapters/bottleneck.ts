/**
 * The end of a sub-layer with a bottleneck in it. h is the sub-layer's output after dropout, r its
 * input, f(x) = up(activation(down(x))); `norm` is the model's own layer norm.
 *
 * - Houlsby: norm(h + f(h) + r). Houlsby et al. 2019; AdapterHub's `DoubleSeqBnConfig`:
 *   `original_ln_before=False, residual_before_ln=True, adapter_residual_before_ln=False`.
 * - Pfeiffer: norm(h + f(norm(h + r)) + r): the same norm twice. AdapterHub's `SeqBnConfig`:
 *   `original_ln_before=True, residual_before_ln=True`.
 */
import type { Activation, Differentiable, Graph } from '../graph.js';
import { addInto, dropout, gelu, relu, swish } from '../ops/elementwise.js';
import { type ResidualLayerNorm, residualLayerNorm } from '../ops/layer-norm.js';
import { linear } from '../ops/linear.js';
import { type AdapterConfig, type BottleneckConfig, bottleneckPlaces } from './config.js';

type NormOptions = Parameters<typeof residualLayerNorm>[3];

/**
 * `residualLayerNorm`, with the bottleneck that `adapter` has at `place`, if any.
 *
 * @param place `encoder.layer.0.output` and the like
 */
export function adaptedResidualLayerNorm(
  g: Graph,
  x: Activation,
  residual: Activation,
  options: NormOptions,
  adapter: AdapterConfig | undefined,
  place: string,
): ResidualLayerNorm {
  if (!adapter || adapter.kind === 'lora' || !bottleneckPlaces(adapter).includes(place))
    return residualLayerNorm(g, x, residual, options);
  const end = adapter.kind === 'houlsby' ? houlsby : pfeiffer;
  return end(g, x, residual, options, adapter, place);
}

function houlsby(
  g: Graph,
  x: Activation,
  residual: Activation,
  options: NormOptions,
  adapter: BottleneckConfig,
  place: string,
): ResidualLayerNorm {
  const { label } = options;
  const dropped = dropout(g, x, options.dropoutRate, `${label} dropout`);
  const h = dropped.output;
  const f = bottleneck(g, h, place, label, adapter);
  addInto(g, h, f.output, `${label} adapter residual`);
  const norm = residualLayerNorm(g, f.output, residual, { ...options, dropoutRate: 0 });
  return {
    output: norm.output,
    backward(dOutput) {
      const { dX: dSum, dResidual } = norm.backward(dOutput);
      const dH = f.backward(dSum);
      if (h.frozen) return { dX: dH, dResidual };
      addInto(g, dSum, dH, `d ${label} adapter residual`);
      return { dX: dropped.backward(dH), dResidual };
    },
  };
}

function pfeiffer(
  g: Graph,
  x: Activation,
  residual: Activation,
  options: NormOptions,
  adapter: BottleneckConfig,
  place: string,
): ResidualLayerNorm {
  const { label } = options;
  const plain = { ...options, dropoutRate: 0 };
  const dropped = dropout(g, x, options.dropoutRate, `${label} dropout`);
  const h = dropped.output;
  const inner = residualLayerNorm(g, h, residual, { ...plain, label: `${label} before adapter` });
  const f = bottleneck(g, inner.output, place, label, adapter);
  addInto(g, h, f.output, `${label} adapter residual`);
  const outer = residualLayerNorm(g, f.output, residual, plain);
  return {
    output: outer.output,
    backward(dOutput) {
      const { dX: dOuter } = outer.backward(dOutput);
      const { dX: dSum } = inner.backward(f.backward(dOuter));
      if (g.frozen([h, residual])) return { dX: dSum, dResidual: dSum };
      // h and the residual are summands of both norms' inputs, so each gets the gradients of both.
      addInto(g, dOuter, dSum, `d ${label} adapter residual`);
      return { dX: dropped.backward(dSum), dResidual: dSum };
    },
  };
}

/** up(activation(down(x))), without the residual. */
function bottleneck(
  g: Graph,
  x: Activation,
  place: string,
  label: string,
  { activation }: BottleneckConfig,
): Differentiable {
  const down = linear(g, x, `${place}.adapter_down`, `${label} adapter down`);
  const activate = { gelu, relu, swish }[activation];
  const activated = activate(g, down.output, `${label} adapter ${activation}`);
  const up = linear(g, activated.output, `${place}.adapter_up`, `${label} adapter up`);
  return {
    output: up.output,
    backward: (dOutput) => down.backward(activated.backward(up.backward(dOutput))),
  };
}
