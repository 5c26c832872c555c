// Exact math: the few functions that distributions need, made of IEEE 754's exactly rounded
// operations alone (+ - * / and square root, in a fixed order, never fused: the library is compiled
// with -ffp-contract=off), so that every machine gets the same bits. libm promises no such thing.
// Pure.
#pragma once

#include <array>

namespace subito::simulate {

// Natural logarithm of a positive, normal number; relative error below 1e-15.
double natural_log(double value);
// e to the `power`, from -700 to 700 (clamped there); relative error below 1e-14.
double exponential(double power);
// `base` (above 0) to the `exponent`.
double power(double base, double exponent);
// The value that a standard normal variable stays below with this probability (0 < p < 1).
// Wichura's algorithm AS 241 (PPND7): about 7 digits.
double inverse_normal(double probability);

// The same of four numbers, in their places, to the same bits. Each step of the above waits for the
// one before; four at a time take hardly longer than one.
using Four = std::array<double, 4>;
void natural_logs(Four& values);
void exponentials(Four& powers);
void inverse_normals(Four& probabilities);

}  // namespace subito::simulate
