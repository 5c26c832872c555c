// Lookups: finds the addresses of names, on libuv's threads, one name at a time for each owner.
//
// A lookup that runs cannot be stopped (getaddrinfo(3) takes no deadline; silent name servers cost
// 5 s a try), and libuv lets lookups have two of its four threads. So one counts until libuv has
// let go of it, whoever has given it up meanwhile, and the others of its owner wait in line: an
// owner with a slow name holds one thread, never both. Two such owners do hold up all names;
// numeric addresses never come here.
//
// Owned by the Dialer, on its loop's thread. Callbacks run on the loop, never inside start();
// destroying the Lookups forgets all of them. The line needs no limit of its own: the Dialer has
// one for connections being made.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>

#include "runtime/base/id.h"
#include "runtime/loop/loop.h"

namespace subito::bindings {

using LookupId = Id<struct LookupTag>;

class Lookups {
 public:
  // 0 and what was found, valid until the return, or libuv's error. It may destroy the Lookups.
  using Callback = std::function<void(int status, const addrinfo* found)>;

  explicit Lookups(Loop& loop);
  ~Lookups();
  Lookups(const Lookups&) = delete;
  Lookups& operator=(const Lookups&) = delete;

  LookupId start(const std::string& owner, std::string host, std::string port, Callback callback);
  // The callback will not run. An id that is done or unknown: nothing happens.
  void cancel(LookupId id);
  bool in_line(LookupId id) const;
  // In libuv's hands, with those that were cancelled there.
  std::size_t running() const;

 private:
  struct Request;
  struct Lookup {
    std::string owner;
    std::string host;
    std::string port;
    Callback callback;
  };
  // Of one owner; none when nothing of his runs and nobody waits.
  struct Line {
    Request* running = nullptr;  // libuv's until its callback has run
    std::deque<LookupId> waiting;
  };
  void run_next(const std::string& owner);
  int run(Line& line, LookupId id);
  static void on_done(uv_getaddrinfo_t* request, int status, addrinfo* found);
  void report_failures();
  void report(LookupId id, int status, const addrinfo* found);

  Loop& loop_;
  IdSource<LookupId> ids_;
  std::unordered_map<LookupId, Lookup> lookups_;
  std::unordered_map<std::string, Line> lines_;
  std::deque<std::pair<LookupId, int>> failures_;  // of those libuv did not even take
  Timer failed_;
};

}  // namespace subito::bindings
