#include "bench/bed.h"

#include <filesystem>
#include <utility>

namespace subito::bench {

namespace {

namespace files = std::filesystem;

}  // namespace

// BUILD/bin/subito has BUILD/functions and BUILD/shop, PREFIX/bin/subito PREFIX/lib/subito/bench.
Result<std::string> find_function(const std::string& name) {
  const files::path root = files::path(own_program()).parent_path().parent_path();
  const files::path built = root / "functions" / name;
  for (const files::path& path : {built, root / "shop" / name, root / "lib/subito/bench" / name}) {
    std::error_code error;
    if (files::is_regular_file(path, error)) return path.string();
  }
  return fail(ErrorCode::kNotFound, "find function " + name + ": there is no " + built.string() +
                                        "; build it with `ninja -C " + root.string() +
                                        " function_" + name + "`");
}

Result<std::string> function_binary(const std::string& asked) {
  if (!asked.empty()) return asked;
  return find_function("echo");
}

std::string burn_path(const char* function, std::uint32_t burn_ms) {
  return std::string("/function/") + function + "/?burn_ms=" + std::to_string(burn_ms);
}

Result<Bed> Bed::make(const std::string& binary, std::uint32_t pool_size,
                      const std::vector<std::string>& more) {
  ASSIGN_OR_RETURN(std::string function, function_binary(binary));
  const std::string program = own_program();
  ASSIGN_OR_RETURN(PrivateNode node, PrivateNode::start(program, pool_size, more));
  ASSIGN_OR_RETURN(NodeClient api, NodeClient::connect(program, node.api_socket()));
  ASSIGN_OR_RETURN(ServerAddress gateway, parse_gateway_url(api.facts().gateway_url));
  return Bed{std::move(node), std::move(api), std::move(gateway), std::move(function)};
}

}  // namespace subito::bench
