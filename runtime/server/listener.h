// Listener: one listening socket and its accept loop. Owned by the server, lives on its loop's
// thread. A Unix socket's file goes with it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/base/unique_fd.h"
#include "runtime/loop/loop.h"
#include "runtime/server/server.h"

namespace subito::server {

class Listener {
 public:
  using OnAccept = std::function<void(UniqueFd socket)>;

  static Result<std::unique_ptr<Listener>> open(Loop& loop, const Address& address,
                                                OnAccept on_accept);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  const Address& address() const { return address_; }  // with the port that the system chose

 private:
  Listener(Loop& loop, Address address, UniqueFd socket, OnAccept on_accept);
  void accept_some();

  Address address_;
  UniqueFd socket_;
  OnAccept on_accept_;
  Poll poll_;
  Timer pause_;
};

}  // namespace subito::server
