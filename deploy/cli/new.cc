// subito new NAME [--template T] [--calls CALLED]: a folder with a function to begin with, which
// builds by itself.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

#include "deploy/cli/session.h"
#include "deploy/cli/templates.h"
#include "deploy/manifest/letters.h"
#include "deploy/manifest/rules.h"
#include "deploy/manifest/suggest.h"

namespace subito::cli {

namespace {

namespace fs = std::filesystem;

struct NewOptions {
  std::string folder;  // its last part is the function's name
  std::string from = "hello";
  std::string called;  // by the function; empty: what the template calls
};

Failure failure(ExitCode code, const std::string& folder, const std::string& reason) {
  return {code, "new " + folder + ": " + reason, {}};
}

Outcome<const Template*> find_template(const NewOptions& options) {
  std::vector<std::string> names;
  std::string list;
  for (const Template& one : templates()) {
    if (one.name == options.from) return &one;
    names.emplace_back(one.name);
    list += (list.empty() ? "" : ", ") + names.back();
  }
  return tl::unexpected<Failure>(failure(kUsage, options.folder,
                                         "there is no template '" + options.from + "'" +
                                             manifest::did_you_mean(options.from, names) +
                                             "; there are " + list));
}

// What the template `calls` calls, and how the README writes it in capitals.
constexpr std::string_view kCallsTemplate = "calls";
constexpr std::string_view kTemplateCalled = "hello";
constexpr std::string_view kTemplateVariable = "CALL_HELLO_URL";

std::string replaced(std::string text, std::string_view from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

// As `--listen` looks for the address of a function that is called: "price-list" is
// CALL_PRICE_LIST_URL.
std::string variable_of(const std::string& called) {
  std::string variable = "CALL_" + called + "_URL";
  for (char& c : variable) c = c == '-' ? '_' : manifest::upper(c);
  return variable;
}

// Nothing of anybody's is written over: the folder must be new or empty.
Outcome<void> make_folder(const fs::path& folder) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (fs::exists(status) && !fs::is_directory(status))
    return tl::unexpected<Failure>(
        failure(kFailed, folder.string(), "there is a file of that name; choose another"));
  if (fs::is_directory(status) && !fs::is_empty(folder, error))
    return tl::unexpected<Failure>(failure(
        kFailed, folder.string(), "the folder is there and not empty; choose another name"));
  fs::create_directories(folder, error);
  if (error)
    return tl::unexpected<Failure>(
        failure(kFailed, folder.string(), "make the folder: " + error.message()));
  return {};
}

Outcome<void> write_file(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (file) return {};
  return tl::unexpected<Failure>(Failure{kFailed, "write " + path.string() + ": it failed", {}});
}

// The folder as it is typed, without a slash at its end.
fs::path folder_of(const std::string& typed) {
  const fs::path path = fs::path(typed).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

class New {
 public:
  New(const Session& session, const NewOptions& options)
      : session_(session), options_(options), folder_(folder_of(options.folder)) {}

  int run() const {
    const std::string name = folder_.filename().string();
    if (const auto wrong = manifest::check_name(name))
      return session_.tell(failure(kUsage, options_.folder, "the name " + *wrong));
    const auto from = find_template(options_);
    if (!from) return session_.tell(from.error());
    if (name == "main")
      return session_.tell(failure(kUsage, options_.folder,
                                   "the handler would be main.cc, where the program begins; "
                                   "choose another name"));
    if (const auto right = check_called(**from, name); !right) return session_.tell(right.error());
    if (const auto made = make_folder(folder_); !made) return session_.tell(made.error());
    for (const TemplateFile& file : (*from)->files) {
      const auto written =
          write_file(folder_ / with_names(file.path, name), with_names(file.text, name));
      if (!written) return session_.tell(written.error());
    }
    print(**from, name);
    return kOk;
  }

 private:
  std::string called() const {
    return options_.called.empty() ? std::string(kTemplateCalled) : options_.called;
  }

  Outcome<void> check_called(const Template& from, const std::string& name) const {
    const auto wrong = [this](const std::string& reason) {
      return tl::unexpected<Failure>(failure(kUsage, options_.folder, reason));
    };
    if (from.name != kCallsTemplate) {
      if (options_.called.empty()) return {};
      return wrong("--calls is for --template calls");
    }
    if (const auto fault = manifest::check_name(called())) return wrong("--calls " + *fault);
    if (name != called()) return {};
    return wrong("the template calls is a function that calls " + called() +
                 ", and would call itself; choose another name");
  }

  // A template's text for this function, and for the one it calls.
  std::string with_names(std::string_view text, const std::string& name) const {
    std::string out(text);
    if (!options_.called.empty()) {
      out = replaced(std::move(out), kTemplateVariable, variable_of(called()));
      out = replaced(std::move(out), kTemplateCalled, called());
    }
    return replaced(std::move(out), kTemplateName, name);
  }

  void print(const Template& from, const std::string& name) const {
    const std::string folder = folder_.string() + "/";
    session_.out() << "wrote " << coloured(folder, Colour::kBold, session_.colours())
                   << " from the template " << from.name << ":\n";
    for (const TemplateFile& file : from.files)
      session_.out() << "  " << folder << with_names(file.path, name) << '\n';
    session_.out() << "Next:\n  sudo subito deploy " << folder
                   << "   builds it, deploys it, tells its URL\n  " << folder << name
                   << ".cc is the handler; " << folder << "README.md how to test and debug it\n";
    if (from.name == kCallsTemplate)
      session_.out() << "  " << called() << " is the function it calls; deploy that, too\n";
  }

  const Session& session_;
  const NewOptions& options_;
  fs::path folder_;
};

}  // namespace

void add_new(CLI::App& app, Session& session) {
  auto options = std::make_shared<NewOptions>();
  CLI::App& command =
      *app.add_subcommand("new", "Write a folder with a function to begin with: new NAME");
  command.group("Functions");
  command.add_option("NAME", options->folder, "the function, or a path whose last part it is")
      ->required()
      ->type_name("");
  command
      .add_option("--template", options->from, "hello, redis (routes, state) or calls (another)")
      ->capture_default_str();
  command
      .add_option("--calls", options->called, "whom the template calls calls, in place of hello")
      ->type_name("NAME");
  command.callback([&session, options] {
    session.action = [&session, options] { return New(session, *options).run(); };
  });
}

}  // namespace subito::cli
