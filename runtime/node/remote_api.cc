#include "runtime/node/remote_api.h"

namespace subito::node {
namespace {

server::Limits remote_limits() {
  server::Limits limits;
  limits.connections_max = kRemoteConnectionsMax;
  limits.handshakes_max = kRemoteHandshakesMax;
  return limits;
}

}  // namespace

RemoteApi::RemoteApi(Loop& loop, const Parts& parts)
    : api_(parts.plane, parts.store, loop),
      gateway_(parts.gateway),
      metrics_(loop, parts.page),
      front_(api_, gateway_, metrics_),
      server_(server::Server::create(loop, remote_limits(), front_)) {
  api_.set_remote();
  api_.attach(*server_);
  gateway_.attach(*server_);
  metrics_.attach(*server_);
}

}  // namespace subito::node
