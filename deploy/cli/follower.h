// Follower: prints the logs and the requests of functions as they come, for `dev`. Never blocks but
// for its output; who prints slower than requests end is told how many it did not get. Owned by the
// command, on its thread.
#pragma once

#include <poll.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "deploy/api/line_stream.h"
#include "deploy/cli/session.h"

namespace subito::cli {

// "TIME POD GET /path 200 waited 1.1 ms, handler 240 µs, pooled start"; one before it when requests
// were missed.
std::string request_line(const Json& request, bool colours);

class Follower {
 public:
  explicit Follower(const Session& session) : session_(session) {}

  // Follows that function, unless it does already.
  Status follow(const std::string& name);
  void forget_all() { followed_.clear(); }
  void add_to(std::vector<pollfd>& polled) const;
  // Prints what is there. kUnavailable: the node has gone; another error: why one is not followed
  // any more.
  Status read();
  // The functions that were deleted since it was asked last.
  std::set<std::string> take_deleted() { return std::exchange(deleted_, {}); }

 private:
  struct Followed {
    api::LineStream logs;
    api::LineStream requests;
    api::LineStream events;
  };
  Status read(const std::string& name, Followed& followed);
  void print(const std::string& line);

  const Session& session_;
  std::map<std::string, Followed> followed_;
  std::set<std::string> deleted_;
};

}  // namespace subito::cli
