// A command line against a node that is not there: the real API handler over a FakePlane, joined
// without sockets or threads. Each test says what the plane holds and looks at what was printed.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "deploy/api/api_handler.h"
#include "deploy/api/fake_plane.h"
#include "deploy/cli/cli.h"
#include "runtime/server/fake_server.h"

namespace subito::cli {

struct Printed {
  int code = -1;
  std::string out;
  std::string err;
};

class CliTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "subito-cli-XXXXXX";
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
    auto opened = store::Store::open(folder_ + "/data");
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
    fill(plane_);
    handler_ = std::make_unique<api::ApiHandler>(plane_, *store_, loop_);
    server_ = std::make_unique<server::FakeServer>(*handler_);
    handler_->attach(*server_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Printed run(const std::vector<std::string>& arguments) {
    std::ostringstream out, err;
    std::istringstream in(input_);
    const Environment environment{
        out,
        err,
        in,
        terminal_,
        terminal_,
        [this](const char* name) -> std::optional<std::string> {
          const auto it = variables_.find(name);
          if (it == variables_.end()) return std::nullopt;
          return it->second;
        },
        [this] { return now_unix_ns_; },
        [this](const std::string& path) { return files_.contains(path); },
        [this](const api::Endpoint& endpoint) { return std::make_unique<Joined>(*this, endpoint); },
        is_root_,
        [this](const PodEntry& entry) {
          entered_ = entry;
          return visit_;
        },
        [this](const std::vector<std::string>& command, std::ostream* show) {
          commands_.push_back(command);
          Result<ProgramEnd> end = program_ ? program_(command) : ProgramEnd{};
          if (end && show != nullptr) *show << end->output;
          return end;
        },
        "/opt/subito"};
    const int code = cli::run(arguments, environment, hooks_);
    return {code, out.str(), err.str()};
  }

  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
    return folder_ + "/" + name;
  }

  std::string folder_;
  std::unique_ptr<store::Store> store_;
  Loop loop_;
  api::FakePlane plane_;
  std::unique_ptr<api::ApiHandler> handler_;
  std::unique_ptr<server::FakeServer> server_;
  Hooks hooks_;

  bool terminal_ = false;
  std::string input_;
  std::map<std::string, std::string> variables_;
  std::set<std::string> files_;  // that exist
  bool is_root_ = true;
  Result<PodVisit> visit_ = PodVisit{};  // what comes of entering a pod
  std::optional<PodEntry> entered_;
  std::int64_t now_unix_ns_ = 1'795'471'505'000'000'000;  // a minute after FakePlane's beginning
  // Other programs: what was run, and what they do; nothing, and well, unless said.
  std::vector<std::vector<std::string>> commands_;
  std::function<Result<ProgramEnd>(const std::vector<std::string>& command)> program_;
  std::optional<Error> no_node_;  // every connection fails with this
  std::string last_socket_;
  api::Endpoint last_endpoint_;
  bool asked_ = false;  // a node, by whatever endpoint
  std::function<void(const api::ClientRequest&)> before_send_;
  // What happens while a stream is watched; then its connection ends, or breaks with this.
  std::function<void()> meanwhile_;
  std::optional<Error> broken_;
  // The gateway: what it was asked, and what it answers.
  api::ClientRequest gateway_request_;
  Result<api::ClientReply> gateway_reply_ = api::ClientReply{};

 private:
  class Joined final : public api::Transport {
   public:
    Joined(CliTest& test, const api::Endpoint& endpoint) : test_(test) {
      test_.asked_ = true;
      test_.last_endpoint_ = endpoint;
      test_.last_socket_ = endpoint.socket_path;
    }

    Result<api::ClientReply> send(const api::ClientRequest& request) override {
      EXPECT_FALSE(streaming_) << "asked from within its own stream";
      if (test_.before_send_) test_.before_send_(request);
      if (test_.no_node_) return *test_.no_node_;
      const auto id = begin(request);
      test_.plane_.settle();
      while (uv_loop_alive(test_.loop_.raw()) != 0) test_.loop_.turn(true);
      const auto& answer = test_.server_->answer(id);
      EXPECT_TRUE(answer.ended) << request.method << " " << request.url;
      return api::ClientReply{answer.status, answer.fields, answer.body};
    }

    Result<api::ClientReply> stream(const api::ClientRequest& request,
                                    const std::function<bool(std::string_view)>& on_line) override {
      if (test_.no_node_) return *test_.no_node_;
      const auto id = begin(request);
      test_.plane_.settle();
      const auto& answer = test_.server_->answer(id);
      while (answer.status == 0 && uv_loop_alive(test_.loop_.raw()) != 0) test_.loop_.turn(true);
      if (answer.status != 200) return api::ClientReply{answer.status, answer.fields, answer.body};
      std::size_t given = 0;
      streaming_ = true;
      bool wants_more = give(answer.body, given, on_line);
      if (wants_more && test_.meanwhile_) test_.meanwhile_();
      if (wants_more) wants_more = give(answer.body, given, on_line);
      streaming_ = false;
      if (wants_more && test_.broken_) return *test_.broken_;
      return api::ClientReply{200, {}, ""};
    }

    Result<api::ClientReply> receive(
        const api::ClientRequest& request,
        const std::function<bool(std::string_view)>& on_piece) override {
      test_.gateway_request_ = request;
      if (test_.gateway_reply_ && on_piece(test_.gateway_reply_->body) && test_.broken_)
        return *test_.broken_;
      return test_.gateway_reply_;
    }

   private:
    server::ExchangeId begin(const api::ClientRequest& request) {
      std::string body = request.body;
      if (!request.body_file.empty()) {
        std::ifstream file(request.body_file, std::ios::binary);
        std::stringstream text;
        text << file.rdbuf();
        body = text.str();
      }
      const std::string kHost = "http://subito";
      return test_.server_->request(request.method, request.url.substr(kHost.size()), body);
    }
    // `body` grows in between, but what was given stays.
    static bool give(const std::string& body, std::size_t& given,
                     const std::function<bool(std::string_view)>& on_line) {
      for (std::size_t end; (end = body.find('\n', given)) != body.npos; given = end + 1) {
        const std::string line = body.substr(given, end - given);
        if (!on_line(line)) return false;
      }
      return true;
    }

    CliTest& test_;
    bool streaming_ = false;
  };
};

}  // namespace subito::cli
