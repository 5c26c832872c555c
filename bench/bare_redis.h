// BareRedis: a redis-server of our own for functions that are started without a node, and the
// connections they are handed. It keeps nothing on disk, has no password and listens on a socket in
// a temporary folder alone: less work for a connection than a node's has, which logs in. Blocking;
// one thread.
#pragma once

#include <chrono>
#include <string>

#include "bench/child.h"
#include "bench/temp_folder.h"

namespace subito::bench {

class BareRedis {
 public:
  // kNotFound: redis-server is not installed.
  static Result<BareRedis> start();
  BareRedis(BareRedis&&) noexcept = default;
  ~BareRedis();

  Result<UniqueFd> connect() const;

  static constexpr std::chrono::seconds kStartTimeout{10};
  static constexpr std::chrono::seconds kStopTimeout{10};

 private:
  BareRedis(TempFolder folder, Child child, UniqueFd output)
      : folder_(std::move(folder)), child_(std::move(child)), output_(std::move(output)) {}

  TempFolder folder_;  // destroyed last
  Child child_;
  UniqueFd output_;  // of its standard output, which it has no use for: it logs to a file
};

}  // namespace subito::bench
