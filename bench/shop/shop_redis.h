// ShopRedis: the private Redis of a node, with a user of our own in it, so that what the shop's
// functions wrote can be read past them. In all else it is as a node makes it: each write is on
// disk before it is acknowledged, and it runs where the node puts it. Blocking; one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/shop/books.h"
#include "bench/temp_folder.h"

struct redisContext;

namespace subito::bench {

class ShopRedis {
 public:
  static Result<ShopRedis> prepare();

  // For `subito up`: a redis-server that lets our user in.
  std::vector<std::string> node_options() const { return {"--redis-server", program()}; }
  // Once the node is ready; `data` is its folder.
  Status connect(const std::string& data);

  // appendfsync, from now on: "always" (as it starts) or "no".
  Status sync(const char* when);

  // Where the functions keep them: stock:level:ID, payment:customer:guest, checkout:order:ID.
  Result<Books> books();
  Result<StoredOrders> orders();

 private:
  struct Close {
    void operator()(redisContext* context) const;
  };
  using Reply = std::vector<std::optional<std::string>>;  // lists in lists are made one

  ShopRedis(TempFolder folder, std::string password)
      : folder_(std::move(folder)), password_(std::move(password)) {}
  std::string program() const { return folder_.path() + "/redis-server"; }
  Result<Reply> command(const std::vector<std::string>& words);
  // The figures of a hash; nothing when it has none of them.
  Result<std::optional<std::vector<std::int64_t>>> figures(const std::string& key,
                                                           const std::vector<std::string>& names);

  TempFolder folder_;
  std::string password_;  // random
  std::unique_ptr<redisContext, Close> context_;
};

}  // namespace subito::bench
