// FakeServer: server::Server without sockets, for tests of handlers: requests are method calls,
// answers are kept. Everything at once, on the caller's thread.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "runtime/server/server.h"

namespace subito::server {

struct FakeAnswer {
  int status = 0;  // 0: none yet
  http::Fields fields;
  std::string body;
  bool ended = false;
  bool aborted = false;
  std::size_t consumed = 0;

  std::string field(std::string_view name) const {
    for (const auto& [key, value] : fields) {
      if (key == name) return value;
    }
    return "";
  }
};

class FakeServer final : public Server {
 public:
  explicit FakeServer(Handler& handler) : handler_(handler) {}

  // Begins an exchange whose body follows by body_of_client().
  ExchangeId begin(const std::string& method, const std::string& target, bool end = false) {
    const ExchangeId id = ids_.next();
    answers_[id];
    http::RequestHead head;
    head.method = method;
    const std::size_t question = std::min(target.find('?'), target.size());
    head.path = target.substr(0, question);
    if (question < target.size()) head.query = target.substr(question + 1);
    handler_.on_request(id, std::move(head), end);
    return id;
  }
  void body_of_client(ExchangeId id, std::string_view bytes, bool end) {
    handler_.on_body(id, bytes, end);
  }
  // A whole request.
  ExchangeId request(const std::string& method, const std::string& target,
                     const std::string& body = "") {
    const ExchangeId id = begin(method, target, body.empty());
    if (!body.empty()) body_of_client(id, body, true);
    return id;
  }
  const FakeAnswer& answer(ExchangeId id) { return answers_[id]; }
  // From now on body() says that the connection is full, until it is told otherwise.
  void set_full(bool full) { full_ = full; }

  Result<Address> listen(const Address& address) override { return address; }
  void respond(ExchangeId id, http::ResponseHead&& head, std::string_view bytes,
               bool end) override {
    FakeAnswer& answer = answers_[id];
    EXPECT_EQ(answer.status, 0) << "answered twice";
    answer.status = head.status;
    answer.fields = head.fields;
    answer.body += bytes;
    answer.ended = end;
    if (end && head.status != 204) {
      EXPECT_EQ(head.content_length, bytes.size());
    }
  }
  bool body(ExchangeId id, std::string_view bytes, bool end) override {
    FakeAnswer& answer = answers_[id];
    EXPECT_FALSE(answer.ended);
    answer.body += bytes;
    answer.ended = end;
    return !full_;
  }
  void abort(ExchangeId id) override { answers_[id].aborted = true; }
  void consumed(ExchangeId id, std::size_t bytes) override { answers_[id].consumed += bytes; }
  void set_peer(Peer peer) { peer_ = std::move(peer); }
  const Peer& peer(ExchangeId) override { return peer_; }
  void drain() override {}
  std::size_t connections() const override { return answers_.size(); }
  std::size_t exchanges() const override { return answers_.size(); }

 private:
  Handler& handler_;
  IdSource<ExchangeId> ids_;
  std::map<ExchangeId, FakeAnswer> answers_;
  Peer peer_;
  bool full_ = false;
};

}  // namespace subito::server
