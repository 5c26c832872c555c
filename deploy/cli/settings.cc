// subito config set|get|list|unset|delete, subito secret set|list|delete|rotate-key
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>

#include "deploy/cli/session.h"
#include "deploy/manifest/defaults.h"
#include "deploy/manifest/qualified_name.h"
#include "deploy/manifest/suggest.h"

namespace subito::cli {

namespace {

struct SettingsOptions {
  std::vector<std::string> words;  // VERB [NAME] [KEY ...]
  std::string from_file;
  bool all_namespaces = false;
  bool force = false;
  Output output;
};

// One byte more than is allowed: enough to be told that it is too much.
constexpr std::size_t kSecretBytesRead = (1 << 20) + 1;

class SettingsCommand {
 public:
  SettingsCommand(const Session& session, const SettingsOptions& options, bool secret)
      : session_(session), options_(options), secret_(secret) {}

  int run() {
    const std::string& verb = options_.words[0];
    const std::vector<std::string> verbs =
        secret_ ? std::vector<std::string>{"set", "list", "delete", "rotate-key"}
                : std::vector<std::string>{"set", "get", "list", "unset", "delete"};
    if (verb == "list") return list();
    if (verb == "rotate-key" && secret_) return rotate_key();
    if (std::find(verbs.begin(), verbs.end(), verb) == verbs.end()) return no_verb(verb, verbs);
    if (verb == "get" && count() == 1) return list();
    if (count() < 2)
      return session_.tell(kUsage, what() + " " + verb + ": NAME is missing: which " + what());
    if (verb == "get") return get();
    if (verb == "delete") return remove();
    if (secret_) return set_secret();
    return verb == "set" ? set_config() : unset_config();
  }

 private:
  std::size_t count() const { return options_.words.size(); }
  std::string what() const { return secret_ ? "secret" : "config"; }
  std::string name() const { return session_.qualified(options_.words[1]); }
  std::string path() const { return (secret_ ? "/v1/secrets/" : "/v1/configs/") + encoded(name()); }

  int no_verb(const std::string& verb, const std::vector<std::string>& verbs) const {
    std::string row;
    for (const std::string& one : verbs) row += (row.empty() ? "" : ", ") + one;
    return session_.tell(
        kUsage, what() + " '" + verb + "': there are " + row + manifest::did_you_mean(verb, verbs));
  }

  int list() const {
    std::string query = "?" + namespace_query(session_, options_.all_namespaces);
    const auto objects = session_.node().get((secret_ ? "/v1/secrets" : "/v1/configs") + query);
    if (!objects) return session_.tell(objects.error());
    if (options_.output.json()) {
      session_.out() << objects->dump(2) << '\n';
      return kOk;
    }
    const Json& items = objects->at("items");
    if (items.empty()) {
      session_.out() << (secret_ ? "no secrets: `subito secret set NAME` makes one\n"
                                 : "no config: `subito config set NAME KEY=VALUE` makes some\n");
      return kOk;
    }
    std::vector<std::string> heads = {"NAME", "KEYS", "CHANGED", "USED BY"};
    if (options_.all_namespaces) heads.insert(heads.begin(), "NAMESPACE");
    Table table(heads);
    for (const Json& object : items) table.add(row(object));
    table.print(session_.out(), session_.colours());
    return kOk;
  }

  std::vector<std::string> row(const Json& object) const {
    std::string keys, users;
    for (const Json& key : object.at("keys"))
      keys += (keys.empty() ? "" : ",") + key.value("key", "");
    for (const Json& user : object.at("usedBy"))
      users += (users.empty() ? "" : ",") + user.get<std::string>();
    std::vector<std::string> cells = {object.value("name", ""), keys.empty() ? "-" : keys,
                                      session_.age(object.at("changedAt")),
                                      users.empty() ? "-" : users};
    if (options_.all_namespaces) cells.insert(cells.begin(), object.value("namespace", ""));
    return cells;
  }

  // config get NAME [KEY]
  int get() const {
    const auto object = session_.node().get(path());
    if (!object) return session_.tell(object.error());
    if (options_.output.json()) {
      session_.out() << object->dump(2) << '\n';
      return kOk;
    }
    const Json& data = object->at("data");
    if (count() > 2) {
      const std::string& key = options_.words[2];
      if (!data.contains(key))
        return session_.tell(kNotFound, "find config " + name() + ": it has no key '" + key + "'");
      session_.out() << data.at(key).get<std::string>() << '\n';
      return kOk;
    }
    for (const auto& [key, value] : data.items())
      session_.out() << key << '=' << value.get<std::string>() << '\n';
    return kOk;
  }

  int set_config() const {
    Json set = Json::object();
    for (std::size_t i = 2; i < count(); ++i) {
      const std::string& word = options_.words[i];
      const std::size_t equals = word.find('=');
      if (equals == word.npos || equals == 0)
        return session_.tell(kUsage, "config set: '" + word + "' is not KEY=VALUE");
      set[word.substr(0, equals)] = word.substr(equals + 1);
    }
    if (set.empty())
      return session_.tell(kUsage, "config set " + name() + ": KEY=VALUE is missing");
    return changed(session_.node().call("PATCH", path(), Json{{"set", set}}.dump()), "set");
  }

  int unset_config() const {
    if (count() == 2) return session_.tell(kUsage, "config unset " + name() + ": KEY is missing");
    const std::vector<std::string> keys(options_.words.begin() + 2, options_.words.end());
    return changed(session_.node().call("PATCH", path(), Json{{"unset", keys}}.dump()), "changed");
  }

  int changed(const Outcome<Json>& object, const std::string& done) const {
    if (!object) return session_.tell(object.error());
    session_.out() << what() << ' ' << name() << " is " << done;
    std::string users;
    for (const Json& user : object->at("usedBy"))
      users += (users.empty() ? "" : ", ") + user.get<std::string>();
    if (users.empty()) {
      session_.out() << "; a function has it that lists it in spec."
                     << (secret_ ? "secrets" : "config") << '\n';
    } else {
      session_.out() << "; pods of " << users << " start anew\n";
    }
    return kOk;
  }

  // secret set NAME [KEY], the value from the standard input, a file or the terminal.
  int set_secret() const {
    if (count() > 3 || (count() == 3 && options_.words[2].find('=') != std::string::npos))
      return session_.tell(kUsage,
                           "secret set: a value is never given on the command line, where every "
                           "process sees it: pipe it in, or --from-file FILE");
    auto value = read_value();
    if (!value) return session_.tell(value.error());
    const std::string key = count() == 3 ? options_.words[2] : manifest::kValueKey;
    const std::size_t bytes = value->size();
    const auto object = session_.node().put_bytes(path() + "/" + encoded(key), *std::move(value));
    return changed(
        object, "set, " + std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes") + " in " + key);
  }

  // A file is taken as it is; what is typed or piped in without the end of its last line, which
  // `echo` and people add. An empty one is never meant: a pipe whose beginning failed gives it.
  Outcome<std::string> read_value() const {
    auto value = options_.from_file.empty() ? read_input() : read_file();
    if (!value) {
      const bool wrong_word = value.error().code == ErrorCode::kInvalidArgument;
      return tl::unexpected<Failure>(
          Failure{wrong_word ? kUsage : kFailed, value.error().message, {}});
    }
    if (!value->empty()) return *std::move(value);
    return tl::unexpected<Failure>(
        Failure{kUsage,
                "secret set " + name() + ": the value is empty" +
                    (options_.from_file.empty() ? "" : ", " + options_.from_file + " is") +
                    "; nothing was changed. `subito secret delete` takes one away",
                {}});
  }

  // Also a pipe: `--from-file <(pass show bank)`.
  Result<std::string> read_file() const {
    const std::string& path = options_.from_file;
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return errno_error("read " + path);
    if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode))
      return fail(ErrorCode::kInvalidArgument,
                  "read " + path + ": it is " + (S_ISDIR(info.st_mode) ? "a folder" : "no file") +
                      "; a secret's value comes from a file or a pipe");
    std::ifstream file(path, std::ios::binary);
    if (!file) return errno_error("open " + path);
    return read_all(file, path);
  }

  Result<std::string> read_input() const {
    const Environment& environment = session_.environment;
    if (environment.ask_hidden)
      return environment.ask_hidden("value of secret " + name() + " (not shown): ");
    ASSIGN_OR_RETURN(std::string value, read_all(environment.in, "the standard input"));
    if (value.ends_with('\n')) value.pop_back();
    if (value.ends_with('\r')) value.pop_back();
    return value;
  }

  static Result<std::string> read_all(std::istream& in, const std::string& what) {
    std::string value(kSecretBytesRead, '\0');
    in.read(value.data(), static_cast<std::streamsize>(value.size()));
    if (in.bad()) return fail(ErrorCode::kInternal, "read " + what + ": input error");
    value.resize(static_cast<std::size_t>(in.gcount()));
    return value;
  }

  int remove() const {
    if (count() > (secret_ ? 3U : 2U))
      return session_.tell(kUsage, what() + " delete: one NAME at a time" +
                                       (secret_ ? ", and one KEY of it" : "; unset takes keys"));
    const std::string at =
        path() + (count() == 3 ? "/" + encoded(options_.words[2])
                               : std::string(options_.force ? "?force=true" : ""));
    const auto gone = session_.node().call("DELETE", at, "");
    if (!gone) return session_.tell(gone.error());
    session_.out() << what() << ' ' << name()
                   << (count() == 3 ? ": key " + options_.words[2] : std::string())
                   << " is deleted\n";
    return kOk;
  }

  int rotate_key() const {
    const auto done = session_.node().call("POST", "/v1/secret-key/rotate", "");
    if (!done) return session_.tell(done.error());
    session_.out() << done->value("words", "") << '\n';
    return kOk;
  }

  const Session& session_;
  const SettingsOptions& options_;
  const bool secret_;
};

CLI::App& add_settings_command(CLI::App& app, Session& session, const std::string& name,
                               const std::string& description,
                               const std::shared_ptr<SettingsOptions>& options) {
  CLI::App& command = *app.add_subcommand(name, description);
  command.group("Settings");
  command.add_option("VERB", options->words, "what to do, the object, and its keys")
      ->required()
      ->expected(1, 300)
      ->type_name("");
  command.add_flag("-A,--all-namespaces", options->all_namespaces, "list those of all");
  command.add_flag("--force", options->force, "delete one that functions list");
  add_output_option(command, options->output, false);
  command.callback([&session, options, secret = name == "secret"] {
    session.action = [&session, options, secret] {
      return SettingsCommand(session, *options, secret).run();
    };
  });
  return command;
}

}  // namespace

void add_config(CLI::App& app, Session& session) {
  add_settings_command(app, session, "config",
                       "Config of functions: config set|get|list|unset|delete NAME KEY=VALUE",
                       std::make_shared<SettingsOptions>());
}

void add_secret(CLI::App& app, Session& session) {
  const auto options = std::make_shared<SettingsOptions>();
  CLI::App& command = add_settings_command(
      app, session, "secret", "Secrets, never shown: secret set|list|delete NAME [KEY]", options);
  command
      .add_option(
          "--from-file", options->from_file,
          "set: the value is this file, byte for byte; else the standard input, without the "
          "end of its last line")
      ->type_name("FILE");
}

}  // namespace subito::cli
