// ShopRedis: a redis-server of our own that the private node is told to use, so that what the
// shop's functions wrote can be read past them. Durable as the node's own is: each write is on disk
// before it is acknowledged. Gone with all its data when it goes. Blocking; one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/child.h"
#include "bench/shop/books.h"
#include "bench/temp_folder.h"

struct redisContext;

namespace subito::bench {

class ShopRedis {
 public:
  // Returns once it answers.
  static Result<ShopRedis> start();
  ShopRedis(ShopRedis&&) noexcept = default;
  ~ShopRedis();

  // For `subito up --redis`.
  std::string address() const { return ":" + password_ + "@unix:" + socket_path(); }

  // appendfsync, from now on: "always" (as it starts) or "no".
  Status sync(const char* when);

  // Where the functions keep them: stock:level:ID, payment:customer:guest, checkout:order:ID.
  Result<Books> books();
  Result<StoredOrders> orders();

  static constexpr std::chrono::seconds kStartTimeout{15};
  static constexpr std::chrono::seconds kStopTimeout{10};

 private:
  struct Close {
    void operator()(redisContext* context) const;
  };
  using Reply = std::vector<std::optional<std::string>>;  // lists in lists are made one

  ShopRedis(TempFolder folder, std::string password, Child child, UniqueFd output)
      : folder_(std::move(folder)),
        password_(std::move(password)),
        child_(std::move(child)),
        output_(std::move(output)) {}
  std::string socket_path() const { return folder_.path() + "/redis.sock"; }
  Status await_ready();
  Status connect();
  Result<Reply> command(const std::vector<std::string>& words);
  // The figures of a hash; nothing when it has none of them.
  Result<std::optional<std::vector<std::int64_t>>> figures(const std::string& key,
                                                           const std::vector<std::string>& names);

  TempFolder folder_;     // destroyed last
  std::string password_;  // random: without one a node refuses it, as any function could log in
  Child child_;
  UniqueFd output_;
  std::unique_ptr<redisContext, Close> context_;
};

}  // namespace subito::bench
