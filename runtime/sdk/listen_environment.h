// What a function is granted when no node is there to say: read from environment variables.
//
//   SETTING_<NAME> or <name> as it stands     a setting
//   SECRET_<NAME>, SECRET_<NAME>_<KEY>        a secret; the key "value" is not written
//   SECRET_<NAME>_FILE, SECRET_..._<KEY>_FILE the same, as the path of a file that holds it
//   REDIS_URL_<BINDING>, else REDIS_URL       redis://[user:pass@]host:port, unix:/path or
//                                             unix://user:pass@/path
//   REDIS_PREFIX                              of every key; default "<function>:"
//   TCP_<BINDING>_ADDRESS                     host:port or unix:/path
//   CALL_<FUNCTION>_URL                       http://host:port[/base]
//
// <NAME>, <BINDING>, <FUNCTION>: upper case, with "_" for all but letters and digits. Hosts are
// numeric or "localhost": a static binary resolves no names. Stateless; the environment is not
// changed while it is read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace subito::sdk {

struct Endpoint {
  std::string host;  // empty: a Unix socket
  std::uint16_t port = 0;
  std::string path;  // of the Unix socket
  std::string user;
  std::string password;
  std::string base;  // behind host and port, without a slash at its end
};

std::optional<std::string> environment(std::string_view prefix, std::string_view name,
                                       std::string_view suffix = {});
std::optional<std::string> environment_setting(std::string_view name);
// Throws std::runtime_error for a file that cannot be read.
std::optional<std::string> environment_secret(std::string_view name, std::string_view key);
// What to warn of: SETTING_<NAME> variables of `variables` (as environ(7)) that no setting can
// read, because the name is not in capitals.
std::vector<std::string> unread_settings(const char* const* variables);
std::optional<Endpoint> redis_endpoint(std::string_view binding);
std::optional<Endpoint> tcp_endpoint(std::string_view binding);
std::optional<Endpoint> call_endpoint(std::string_view function);

// "scheme://[user:pass@]host:port[/base]", "host:port", "unix:/path" or
// "unix://user:pass@/path".
Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port = 0);

// Begins to connect a non-blocking socket; ready once it can be written.
Result<UniqueFd> begin_connect(const Endpoint& endpoint);

}  // namespace subito::sdk
