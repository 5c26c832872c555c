// Who listens on a TCP port of this machine: for the message that says a port is taken.
#pragma once

#include <cstdint>
#include <string>

namespace subito::server {

// "redis-server (pid 123)"; empty when nobody listens, or we may not see who. Reads /proc: slow,
// for error paths only. Any thread.
std::string port_owner(std::uint16_t port);

}  // namespace subito::server
