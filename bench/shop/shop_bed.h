// ShopBed: the shop deployed, seeded and restocked on a private node with a Redis that can be read.
// Owned by the measurement; when it goes, all of it goes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/bed.h"
#include "bench/options.h"
#include "bench/shop/books.h"
#include "bench/shop/shop_redis.h"

namespace subito::bench {

class ShopBed {
 public:
  static Result<ShopBed> make(const ShopOptions& options);

  NodeClient& api() { return bed_.api; }
  const ServerAddress& gateway() const { return bed_.gateway; }
  const std::string& binary() const { return bed_.binary; }
  const std::vector<std::string>& products() const { return products_; }

  // On a kept-alive connection; once more on a new one if that had been closed.
  Result<HttpReply> ask(const HttpRequest& request);
  // On a connection that is open for sure; from the first byte sent to the last of the answer.
  struct Timed {
    HttpReply reply;
    std::int64_t took_ns = 0;
  };
  Result<Timed> time(const HttpRequest& request);

  // What the functions say, and what Redis holds.
  Result<Books> books();
  ShopRedis& redis() { return redis_; }

  static constexpr std::int64_t kRestock = 1'000'000;  // pieces of each product

 private:
  ShopBed(ShopRedis redis, Bed bed, bool pays)
      : redis_(std::move(redis)), bed_(std::move(bed)), pays_(pays) {}
  Status open_shop(const std::string& folder);
  // Asks as the operator; the body of an answer with 200.
  Result<std::string> operate(const HttpRequest& request);

  ShopRedis redis_;  // goes after the node
  Bed bed_;
  bool pays_;  // payment is deployed
  std::optional<HttpClient> client_;
  std::vector<std::string> products_;
};

// `asked`, or where that is empty the shop that was built with the running program.
std::string shop_folder(const std::string& asked);
// The shop's manifests are there; else what to do.
Status check_shop_folder(const std::string& folder);

}  // namespace subito::bench
