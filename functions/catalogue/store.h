// ProductStore: the products in the catalogue's corner of Redis:
//
//   catalogue:products       sorted set of ids, by their number
//   catalogue:product:<id>   hash: name, description, price_minor, sku, tags, version
//   catalogue:skus           hash: the id of each sku
//   catalogue:ids            how many ids were given out
//   catalogue:deleted        set: ids of the seed's products that were deleted
//   catalogue:events         stream
//
// What must happen at once is one Lua script, its event included; a change names the version that
// it changes. Throws subito::RedisError.
#pragma once

#include <subito/function.h>

#include <optional>
#include <string>
#include <vector>

#include "functions/catalogue/product.h"

namespace shop {

class ProductStore {
 public:
  explicit ProductStore(subito::Redis& redis) : redis_(redis) {}

  // In one round trip, in the order of `ids`; those that are not there are left out.
  std::vector<Product> load(const std::vector<std::string>& ids);
  std::optional<Product> find(const std::string& id);
  std::vector<std::string> all_ids();  // at most kProductsMax

  // Never given out before, and none of the seed's.
  std::string new_id();

  enum class Added {
    kDone,
    kThere,  // or was there once
    kSkuTaken,
    kFull,
  };
  Added add(const Product& product);

  enum class Changed {
    kDone,
    kUnknown,
    kOtherVersion,
    kOtherSku,
  };
  // `product.version` is the one it becomes; it must have the one before.
  Changed change(const Product& product);
  Changed remove(const Product& product);

 private:
  std::string key(const std::string& id) const { return redis_.key("product:" + id); }
  std::vector<std::string> keys(const std::string& id) const;  // of kAdd and kRemove

  subito::Redis& redis_;
};

}  // namespace shop
