// An API with tokens and an audit log, asked by whoever bears one, or over the Unix socket.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "deploy/access/audit_files.h"
#include "deploy/api/api_testing.h"

namespace subito::api {

class Access : public Api {
 protected:
  void SetUp() override {
    Api::SetUp();
    book_.emplace(access::TokenBook::load(*store_).value());
    gate_.emplace(*book_, clock_, [this] { return unix_now_; });
    audit_ = access::AuditLog::open(loop_, folder_ + "/audit", limits()).value();
    handler_->set_access(*gate_, audit_.get());
  }
  void TearDown() override {
    server_.reset();
    handler_.reset();  // it writes to the log
    Api::TearDown();
  }
  static access::AuditLimits limits() {
    return {access::kAuditFileBytes, access::kAuditTotalBytes, Duration::zero()};
  }
  void remotely() {
    handler_->set_remote();
    server_->set_peer(server::Peer{"192.0.2.7", 4711, false, {}});
  }
  void locally(uid_t uid = 0) {
    server::Peer peer;
    peer.process = server::Peer::Process{::getpid(), uid, 0};
    server_->set_peer(std::move(peer));
  }
  std::string token(const std::string& scopes, std::int64_t lifetime_ns = 0) {
    return book_
        ->create("t" + std::to_string(++tokens_), access::parse_scopes(scopes).value(), lifetime_ns,
                 "uid 0", unix_now_)
        .value();
  }
  void bear(const std::string& text) { server_->set_fields({{"authorization", "Bearer " + text}}); }
  // Also of what does not end by itself: a stream keeps the loop busy.
  server::FakeAnswer try_it(const std::string& method, const std::string& target) {
    const server::ExchangeId id = server_->request(method, target, method == "PUT" ? "{}" : "");
    plane_.settle();
    while (server_->answer(id).status == 0 && uv_loop_alive(loop_.raw()) != 0) loop_.turn(true);
    const server::FakeAnswer answer = server_->answer(id);
    if (!answer.ended) handler_->on_abort(id);
    return answer;
  }
  // A stream that has begun.
  server::ExchangeId stream(const std::string& target) {
    const server::ExchangeId id = server_->request("GET", target);
    plane_.settle();
    EXPECT_EQ(server_->answer(id).status, 200) << target;
    EXPECT_FALSE(server_->answer(id).ended) << target;
    return id;
  }
  // The operation with a function, token or binary of `name_space` in its path.
  static std::string target_in(std::string pattern, const std::string& name_space) {
    const std::map<std::string, std::string> values = {
        {"{name}", name_space == "default" ? "stock" : "stock." + name_space},
        {"{number}", "1"},
        {"{key}", "value"},
        {"{namespace}", name_space},
        {"{sha256}", std::string(64, '0')}};
    for (const auto& [key, value] : values) {
      if (const auto at = pattern.find(key); at != pattern.npos)
        pattern.replace(at, key.size(), value);
    }
    EXPECT_EQ(pattern.find('{'), pattern.npos) << "the test knows no value for it";
    return pattern;
  }
  std::vector<nlohmann::json> audited() {
    std::vector<nlohmann::json> lines;
    std::istringstream all(access::read_audit(audit_->folder(), {}).value());
    for (std::string line; std::getline(all, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
  }

  ManualClock clock_;
  std::int64_t unix_now_ = 1'795'471'505'000'000'000;
  std::optional<access::TokenBook> book_;
  std::optional<access::Gate> gate_;
  std::unique_ptr<access::AuditLog> audit_;
  int tokens_ = 0;
};

}  // namespace subito::api
