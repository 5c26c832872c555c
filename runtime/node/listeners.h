// Listeners: where a node listens, by its configuration, and with which limits. Pure, but for the
// look whether a port is free.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/node/node.h"
#include "runtime/server/server.h"

namespace subito::node {

// An empty host: it does not listen there.
server::Address gateway_address(const NodeConfig& config);
server::Address metrics_address(const NodeConfig& config);
server::Address tls_address(const NodeConfig& config);
server::Address api_address(const NodeConfig& config);

server::Limits api_limits();
server::Limits metrics_limits();

// A port that is taken is told before anything is started that would have to be ended.
Status check_ports(const NodeConfig& config);
// What to do about a port that is taken; `command` is where it is chosen.
Error not_listening(Error error, std::string_view command);
// The same about the API's socket.
Status told(Result<server::Address> listening);

std::string https_url(const server::Address& address);

// Into the node's own log: what became of a certificate that was read anew from `file`.
void log_certificate(const Status& read, const std::string& subject, const std::string& file);

}  // namespace subito::node
