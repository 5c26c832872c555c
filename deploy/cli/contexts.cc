#include "deploy/cli/contexts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "runtime/base/unique_fd.h"

namespace subito::cli {
namespace {

constexpr std::size_t kContextsBytesMax = 1 << 20;

std::string text_in(const YAML::Node& node, const char* key) {
  const YAML::Node value = node[key];
  return value && value.IsScalar() ? value.as<std::string>() : "";
}

Result<Contexts> parse(const std::string& path, const std::string& text) {
  try {
    const YAML::Node root = YAML::Load(text);
    Contexts contexts;
    if (!root.IsMap()) return contexts;
    contexts.current = text_in(root, "current");
    for (const YAML::Node& node : root["contexts"])
      contexts.all.push_back({text_in(node, "name"), text_in(node, "server"), text_in(node, "ca"),
                              text_in(node, "token")});
    return contexts;
  } catch (const YAML::Exception& error) {
    return fail(ErrorCode::kInvalidArgument, "read " + path + ": " + error.what());
  }
}

Result<std::string> read_whole(const std::string& path, const UniqueFd& file) {
  std::string text(kContextsBytesMax + 1, '\0');
  const ssize_t size = ::read(file.get(), text.data(), text.size());
  if (size < 0) return errno_error("read " + path);
  if (static_cast<std::size_t>(size) > kContextsBytesMax)
    return fail(ErrorCode::kInvalidArgument, "read " + path + ": it is larger than 1 MiB");
  text.resize(static_cast<std::size_t>(size));
  return text;
}

}  // namespace

Context* Contexts::find(std::string_view name) {
  const auto it =
      std::find_if(all.begin(), all.end(), [&](const Context& one) { return one.name == name; });
  return it == all.end() ? nullptr : &*it;
}

void Contexts::put(Context context) {
  current = context.name;
  if (Context* old = find(context.name))
    *old = std::move(context);
  else
    all.push_back(std::move(context));
}

bool Contexts::remove(std::string_view name) {
  const bool was_current = !name.empty() && current == name;
  if (was_current) current.clear();
  return std::erase_if(all, [&](const Context& one) { return one.name == name; }) > 0 ||
         was_current;
}

std::string lost_context(const std::string& name, const std::string& path) {
  return "find context " + name + ": " + path +
         " says that it is in use, and has none of that name; `subito context list` lists those "
         "that there are, `subito context use NAME` takes one of them, `subito context delete " +
         name + "` the node of this machine";
}

std::string contexts_path(const Variable& variable) {
  const std::string config = variable("XDG_CONFIG_HOME").value_or("");
  if (!config.empty()) return config + "/subito/config.yaml";
  const std::string home = variable("HOME").value_or("");
  return home.empty() ? "" : home + "/.config/subito/config.yaml";
}

Result<Contexts> load_contexts(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    if (path.empty() || errno == ENOENT || errno == ENOTDIR) return Contexts();
    return errno_error("read " + path);
  }
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return errno_error("read " + path);
  if ((info.st_mode & 077U) != 0)
    return fail(ErrorCode::kPermissionDenied,
                "read " + path + ": others can read it, and it holds tokens: chmod 600 " + path);
  ASSIGN_OR_RETURN(const std::string text, read_whole(path, file));
  return parse(path, text);
}

Status save_contexts(const std::string& path, const Contexts& contexts) {
  if (path.empty())
    return fail(ErrorCode::kFailedPrecondition,
                "write contexts: neither XDG_CONFIG_HOME nor HOME says where");
  YAML::Emitter out;
  out << YAML::BeginMap << YAML::Key << "current" << YAML::Value << YAML::DoubleQuoted
      << contexts.current << YAML::Key << "contexts" << YAML::Value << YAML::BeginSeq;
  for (const Context& context : contexts.all) {
    out << YAML::BeginMap;
    for (const auto& [key, value] :
         {std::pair<const char*, const std::string&>{"name", context.name},
          {"server", context.server},
          {"ca", context.ca_file},
          {"token", context.token}}) {
      if (!value.empty()) out << YAML::Key << key << YAML::Value << YAML::DoubleQuoted << value;
    }
    out << YAML::EndMap;
  }
  out << YAML::EndSeq << YAML::EndMap;
  const std::string text = std::string(out.c_str()) + "\n";
  const std::string folder = std::filesystem::path(path).parent_path().string();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(ErrorCode::kPermissionDenied, "make " + folder + ": " + error.message());
  std::string temporary = path + ".XXXXXX";
  const UniqueFd file(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
  if (!file.valid()) return errno_error("write " + path);
  const bool written =
      ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(file.get()) == 0 && std::rename(temporary.c_str(), path.c_str()) == 0;
  if (written) return ok();
  Error failed = errno_error("write " + path);
  ::unlink(temporary.c_str());
  return failed;
}

}  // namespace subito::cli
