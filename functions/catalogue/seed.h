// The demonstration's products.
#pragma once

#include <array>

#include "functions/catalogue/product.h"

namespace shop {

inline std::array<Product, 5> seed_products() {
  return {{{"1", "Widget", "Premium ACME Widgets", 120, "12345678", {"parts"}, 1},
           {"2", "Sprocket", "Grade B sprockets", 410, "34567890", {"parts"}, 1},
           {"3", "Anvil", "Large Anvils", 4550, "54326745", {"heavy", "tools"}, 1},
           {"4", "Cogs", "Grade Y cogs", 180, "93847614", {"parts"}, 1},
           {"5", "Multitool", "Multitools", 15410, "11856388", {"tools"}, 1}}};
}

}  // namespace shop
