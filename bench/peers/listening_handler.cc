#include "bench/peers/listening_handler.h"

#include <unistd.h>

namespace subito::bench {

Result<ServerAddress> parse_listens(const std::string& line) {
  constexpr std::string_view kSays = " listens on ";
  constexpr std::string_view kUnix = "unix:";
  const std::size_t at = line.find(kSays);
  if (at == line.npos) {
    return fail(ErrorCode::kProtocol, "learn where it listens: it says '" + line + "'");
  }
  const std::string where = line.substr(at + kSays.size());
  if (where.starts_with(kUnix)) return ServerAddress{where.substr(kUnix.size()), "", 0};
  return parse_gateway_url(where);
}

Result<ListeningHandler> ListeningHandler::start(const std::string& binary,
                                                 const std::string& address,
                                                 const std::vector<std::string>& environment,
                                                 const std::string& name,
                                                 std::uint32_t concurrency) {
  std::vector<std::string> arguments = {"env"};  // becomes the binary, env(1)
  arguments.insert(arguments.end(), environment.begin(), environment.end());
  arguments.insert(arguments.end(), {binary, "--listen", address});
  if (!name.empty()) arguments.insert(arguments.end(), {"--name", name});
  if (concurrency > 0) {
    arguments.insert(arguments.end(), {"--concurrency", std::to_string(concurrency)});
  }
  UniqueFd output;
  ASSIGN_OR_RETURN(Child child,
                   start_service({"env", std::move(arguments)}, output, STDERR_FILENO));
  auto line = read_line(output.get(), kStartTimeout);
  if (!line) return std::move(line).error().annotate("start " + binary + " --listen " + address);
  ASSIGN_OR_RETURN(ServerAddress listens, parse_listens(*line));
  return ListeningHandler(std::move(child), std::move(output), std::move(listens));
}

std::string ListeningHandler::url() const {
  return "http://" + address_.host + ":" + std::to_string(address_.port);
}

}  // namespace subito::bench
