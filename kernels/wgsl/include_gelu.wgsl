// Included by `//@ include gelu`: the exact (not tanh) GELU and its derivative, by the error function.
//
// Rational approximation x·P(x²)/Q(x²) on [-4, 4], beyond which f32 erf is ±1; absolute error below
// 3e-7 (checked against float64 in test/kernels/elementwise.test.ts). Minimax coefficients as in
// Eigen's and XLA's single-precision erf.
fn erf4(value: vec4<f32>) -> vec4<f32> {
  let x = clamp(value, vec4<f32>(-4.0), vec4<f32>(4.0));
  let square = x * x;
  var numerator = square * -2.72614225801306e-10 + 2.77068142495902e-08;
  numerator = numerator * square - 2.10102402082508e-06;
  numerator = numerator * square - 5.69250639462346e-05;
  numerator = numerator * square - 7.34990630326855e-04;
  numerator = numerator * square - 2.95459980854025e-03;
  numerator = numerator * square - 1.60960333262415e-02;
  var denominator = square * -1.45660718464996e-05 - 2.13374055278905e-04;
  denominator = denominator * square - 1.68282697438203e-03;
  denominator = denominator * square - 7.37332916720468e-03;
  denominator = denominator * square - 1.42647390514189e-02;
  return x * numerator / denominator;
}

// x · Φ(x), Φ being the distribution of the standard normal.
fn gelu(x: vec4<f32>) -> vec4<f32> {
  return 0.5 * x * (1.0 + erf4(x * 0.70710678118654752));
}

// Φ(x) + x · φ(x).
fn gelu_derivative(x: vec4<f32>) -> vec4<f32> {
  let distribution = 0.5 * (1.0 + erf4(x * 0.70710678118654752));
  let density = 0.39894228040143268 * exp(-0.5 * x * x);
  return distribution + x * density;
}
