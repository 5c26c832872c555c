// The demonstration's products.
#pragma once

#include <array>

#include "functions/catalogue/catalogue.h"

namespace shop {

inline std::array<Product, 5> seed_products() {
  return {{{"1", "Widget", "Premium ACME Widgets", 120},
           {"2", "Sprocket", "Grade B sprockets", 410},
           {"3", "Anvil", "Large Anvils", 4550},
           {"4", "Cogs", "Grade Y cogs", 180},
           {"5", "Multitool", "Multitools", 15410}}};
}

}  // namespace shop
