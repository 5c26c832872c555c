#include "bench/bed.h"

#include <filesystem>
#include <utility>

namespace subito::bench {

std::string function_beside(const char* name) {
  const std::filesystem::path build =
      std::filesystem::path(own_program()).parent_path().parent_path();
  return build / "functions" / name;
}

std::string function_binary(const std::string& asked) {
  return asked.empty() ? function_beside("echo") : asked;
}

std::string burn_path(const char* function, std::uint32_t burn_ms) {
  return std::string("/function/") + function + "/?burn_ms=" + std::to_string(burn_ms);
}

Result<Bed> Bed::make(const std::string& binary, std::uint32_t pool_size,
                      const std::vector<std::string>& more) {
  const std::string program = own_program();
  ASSIGN_OR_RETURN(PrivateNode node, PrivateNode::start(program, pool_size, more));
  ASSIGN_OR_RETURN(NodeClient api, NodeClient::connect(program, node.api_socket()));
  ASSIGN_OR_RETURN(ServerAddress gateway, parse_gateway_url(api.facts().gateway_url));
  return Bed{std::move(node), std::move(api), std::move(gateway), function_binary(binary)};
}

}  // namespace subito::bench
