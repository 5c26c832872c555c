// RedisDialer: hands out connections to one Redis that are logged in already, each as the ACL user
// of the function that asked. No password is ever in a pod.
//
// One per Redis and loop, owned by the node, on the loop's thread. Callbacks run on the loop, never
// inside connect(). Destroying it forgets what is in flight.
//
// A connection:   dialling ─▶ logging in ─────────────────────▶ handed over
//                    │            │ Redis does not know the user     ▲
//                    └────────────┴─▶ making the user, logging in ───┘
// The lower way uses the same connection: it is ours (the administrator's) until its last command,
// AUTH as the function, has succeeded; otherwise it is closed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "runtime/base/id.h"
#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/bindings/dialer.h"
#include "runtime/bindings/endpoint.h"
#include "runtime/bindings/redis_users.h"

namespace subito::bindings {

using RedisConnectId = Id<struct RedisConnectTag>;

struct RedisDialerConfig {
  // With the login of an administrator. A Redis whose default user needs no password cannot hold
  // functions apart: each could become that user by RESET. Refused, kFailedPrecondition.
  RedisEndpoint redis;
};

class RedisDialer {
 public:
  // A connected, logged in, blocking socket. Errors: "connect redis at ADDRESS: reason", codes as
  // Dialer's, and kPermissionDenied when Redis refuses the login.
  using Callback = std::function<void(Result<UniqueFd>)>;

  RedisDialer(Loop& loop, Dialer& dialer, RedisDialerConfig config);
  ~RedisDialer();
  RedisDialer(const RedisDialer&) = delete;
  RedisDialer& operator=(const RedisDialer&) = delete;

  // `timeout` is for all of it.
  RedisConnectId connect(const std::string& function, const std::string& key_prefix,
                         Duration timeout, Callback callback);
  void cancel(RedisConnectId id);
  // After a function was deleted. Its users stay in Redis with passwords that nobody knows.
  void forget(const std::string& function) { users_.remove(function); }
  std::size_t in_flight() const { return connects_.size(); }

 private:
  class Connect;
  void finish(RedisConnectId id, Result<UniqueFd>&& result);

  Loop& loop_;
  Dialer& dialer_;
  const RedisDialerConfig config_;
  RedisUsers users_;
  IdSource<RedisConnectId> ids_;
  std::unordered_map<RedisConnectId, std::unique_ptr<Connect>> connects_;
};

}  // namespace subito::bindings
