#include "runtime/node/granted.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "deploy/manifest/rules.h"
#include "runtime/node/settings.h"
#include "runtime/sandbox/granted_files.h"

namespace subito::node {
namespace {

// Fields of a protocol::Values, written into locked memory without a message in between, which
// would leave copies behind: protobuf.dev/programming-guides/encoding.
constexpr char kSettingsTag = (1 << 3) | 2;
constexpr char kSecretsTag = (2 << 3) | 2;

std::size_t varint_bytes(std::size_t value) {
  std::size_t bytes = 1;
  for (; value >= 0x80; value >>= 7) ++bytes;
  return bytes;
}

std::size_t field_bytes(std::size_t size) {
  return 1 + varint_bytes(size) + size;
}

struct WireWriter {
  char* at;

  void varint(std::size_t value) {
    for (; value >= 0x80; value >>= 7) *at++ = static_cast<char>(value | 0x80);
    *at++ = static_cast<char>(value);
  }
  void begin(char tag, std::size_t size) {
    *at++ = tag;
    varint(size);
  }
  void field(int number, std::string_view bytes) {
    begin(static_cast<char>((number << 3) | 2), bytes.size());
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    at += bytes.size();
  }
};

std::size_t setting_bytes(const std::string& key, std::string_view value) {
  return field_bytes(key.size()) + field_bytes(value.size());
}

std::size_t secret_bytes(const std::string& name, const std::string& key, std::string_view value) {
  return field_bytes(name.size()) + field_bytes(key.size()) + field_bytes(value.size());
}

tl::unexpected<Error> cannot(const std::string& what) {
  return fail(ErrorCode::kInvalidArgument, what);
}

}  // namespace

Status Granted::add(const manifest::GivenObject& given, bool secret, const std::string& key,
                    LockedBytes value) {
  bytes_ += key.size() + value.size();
  if (given.as() == manifest::GivenObject::FILE) {
    place(files_, given.path() + "/" + key, std::move(value));
    return ok();
  }
  if (given.as() == manifest::GivenObject::ENV) {
    const std::string& name = given.env().empty() ? key : given.env();
    if (!manifest::is_variable_name(name))
      return cannot("key '" + name + "' cannot be the name of a variable: say key and env");
    if (value.view().find('\0') != std::string_view::npos)
      return cannot("the value of '" + key +
                    "' has a zero byte, which no variable can have: give it as file or value");
    place(variables_, name, std::move(value));
    return ok();
  }
  auto& values = secret ? secrets_ : settings_;
  const auto same = std::find_if(values.begin(), values.end(), [&](const Value& one) {
    return one.key == key && (!secret || one.object == given.name());
  });
  if (same != values.end()) values.erase(same);  // the one listed last holds
  values.push_back({given.name(), key, std::move(value)});
  return ok();
}

// The one listed last holds.
void Granted::place(std::vector<Placed>& all, const std::string& name, LockedBytes value) {
  std::erase_if(all, [&](const Placed& one) { return one.name == name; });
  all.push_back({name, std::move(value)});
}

Result<pods::GrantsPtr> Granted::pack() const {
  if (bytes_ > kGrantedBytesMax)
    return cannot("the config objects and secrets that it lists take " + std::to_string(bytes_) +
                  " bytes, at most " + std::to_string(kGrantedBytesMax) + " are given to a pod");
  auto grants = std::make_shared<pods::PodGrants>();
  RETURN_IF_ERROR(pack_environment(*grants));
  RETURN_IF_ERROR(pack_files(*grants));
  RETURN_IF_ERROR(pack_values(*grants));
  return pods::GrantsPtr(std::move(grants));
}

Status Granted::pack_environment(pods::PodGrants& grants) const {
  std::size_t bytes = 0;
  for (const Placed& variable : variables_)
    bytes += variable.name.size() + 1 + variable.bytes.size() + 1;
  if (bytes > pods::kEnvironmentBytesMax)
    return cannot("its variables take " + std::to_string(bytes) + " bytes, at most " +
                  std::to_string(pods::kEnvironmentBytesMax) +
                  " are allowed; give what is large as file or value");
  if (bytes == 0) return ok();
  grants.environment = LockedBytes(bytes);
  char* at = grants.environment.data();
  for (const Placed& variable : variables_) {
    at = std::copy(variable.name.begin(), variable.name.end(), at);
    *at++ = '=';
    at = std::copy(variable.bytes.view().begin(), variable.bytes.view().end(), at);
    *at++ = '\0';
  }
  return ok();
}

Status Granted::pack_files(pods::PodGrants& grants) const {
  if (files_.empty()) return ok();
  std::vector<sandbox::GrantedFile> files;
  for (const Placed& file : files_) files.push_back({file.name, file.bytes.view()});
  LockedBytes pack(sandbox::packed_bytes(files));
  sandbox::pack_files(files, pack.data());
  ASSIGN_OR_RETURN(grants.files, SealedFile::make("subito-files", pack.view()));
  return ok();
}

Status Granted::pack_values(pods::PodGrants& grants) const {
  std::size_t bytes = 0;
  for (const Value& one : settings_) bytes += field_bytes(setting_bytes(one.key, one.bytes.view()));
  for (const Value& one : secrets_)
    bytes += field_bytes(secret_bytes(one.object, one.key, one.bytes.view()));
  if (bytes == 0) return ok();
  LockedBytes pack(bytes);
  WireWriter writer{pack.data()};
  for (const Value& one : settings_) {
    writer.begin(kSettingsTag, setting_bytes(one.key, one.bytes.view()));
    writer.field(1, one.key);
    writer.field(2, one.bytes.view());
  }
  for (const Value& one : secrets_) {
    writer.begin(kSecretsTag, secret_bytes(one.object, one.key, one.bytes.view()));
    writer.field(1, one.object);
    writer.field(2, one.key);
    writer.field(3, one.bytes.view());
  }
  ASSIGN_OR_RETURN(grants.values, SealedFile::make("subito-values", pack.view()));
  return ok();
}

}  // namespace subito::node
