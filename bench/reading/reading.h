// `subito bench page` and `subito bench compare`: their command lines, and running them. Main
// thread.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace subito::bench {

struct PageOptions {
  std::vector<std::string> reports;  // JSON files
  std::string output;                // the HTML file
};

struct CompareOptions {
  std::string before;
  std::string after;
  bool json = false;
  bool check = false;  // what got worse beyond noise is a failure
};

void add_page(CLI::App& app, PageOptions& options);
void add_compare(CLI::App& app, CompareOptions& options);

// Exit codes. What a file has wrong is told to the standard error.
int run_page(const PageOptions& options);
int run_compare(const CompareOptions& options);

}  // namespace subito::bench
