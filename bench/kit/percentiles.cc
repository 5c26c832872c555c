#include "bench/kit/percentiles.h"

#include <cmath>

namespace subito::bench {

// In whole measurements: 10 / (1 - 0.99) is not quite 1,000 in binary.
bool enough_for(double fraction, std::uint64_t measurements) {
  return measurements >= static_cast<std::uint64_t>(std::llround(10 / (1 - fraction)));
}

}  // namespace subito::bench
