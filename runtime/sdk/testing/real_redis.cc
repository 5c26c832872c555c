#include "runtime/sdk/testing/real_redis.h"

#include <poll.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "runtime/sdk/listen_client.h"

namespace subito::testing {

RealRedis::RealRedis(const std::string& binding, const std::string& prefix, const TestClock& clock,
                     sdk::Endpoint endpoint)
    : TestRedis(binding, prefix, clock),
      client_(
          binding, prefix, pool_,
          [this, binding, endpoint = std::move(endpoint)] {
            return sdk::dial_redis(binding, endpoint, *this);
          },
          *this) {}

void RealRedis::wait_for(int fd, short events) {
  clock().throw_if_over();
  pollfd watched = {fd, events, 0};
  const auto left =
      std::min<std::int64_t>(clock().time_left().count(), std::numeric_limits<int>::max());
  if (::poll(&watched, 1, static_cast<int>(left)) == 0) throw Cancelled(sdk::kDeadlinePassed);
}

}  // namespace subito::testing
