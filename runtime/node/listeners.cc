#include "runtime/node/listeners.h"

#include <spdlog/spdlog.h>

#include <tuple>
#include <utility>

#include "runtime/node/views.h"

namespace subito::node {

server::Address gateway_address(const NodeConfig& config) {
  return {server::Address::Kind::kTcp, config.listen_host, config.listen_port};
}

Error not_listening(Error error, std::string_view command) {
  if (error.code == ErrorCode::kAlreadyExists)
    error.message +=
        "; end that, or choose another port: " + std::string(command) + " ADDRESS:PORT";
  return error;
}

Status told(Result<server::Address> listening) {
  if (listening) return ok();
  Error error = std::move(listening).error();
  if (error.code == ErrorCode::kAlreadyExists)
    error.message += " by a node that runs; end that, or choose another: subito up --socket PATH";
  return error;
}

server::Address metrics_address(const NodeConfig& config) {
  return {server::Address::Kind::kTcp, config.metrics_host, config.metrics_port};
}

server::Address tls_address(const NodeConfig& config) {
  return {server::Address::Kind::kTcp, config.tls_host, config.tls_port};
}

server::Address api_address(const NodeConfig& config) {
  return {server::Address::Kind::kTcp, config.api_host, config.api_port};
}

Status check_ports(const NodeConfig& config) {
  const std::tuple<server::Address, const char*> kPorts[] = {
      {gateway_address(config), "subito up --listen"},
      {tls_address(config), "subito up --tls-listen"},
      {api_address(config), "subito up --api-listen"},
      {metrics_address(config), "subito up --metrics"},
  };
  for (const auto& [address, command] : kPorts) {
    if (address.host.empty()) continue;
    if (auto free = server::check_port(address); !free)
      return not_listening(std::move(free).error(), command);
  }
  return ok();
}

std::string https_url(const server::Address& address) {
  return "https" + gateway_url(address.host, address.port).substr(std::string("http").size());
}

server::Limits api_limits() {
  server::Limits limits;
  limits.connections_max = 128;
  return limits;
}

server::Limits metrics_limits() {
  server::Limits limits;
  limits.connections_max = 32;
  return limits;
}

void log_certificate(const Status& read, const std::string& subject, const std::string& file) {
  if (read) return spdlog::info("new connections get certificate {} of {}", subject, file);
  spdlog::warn("the certificate in use stays: {}", read.error().message);
}

}  // namespace subito::node
