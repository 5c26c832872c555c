// An API handler over a fake plane and a fake server, every answer of which is held to
// openapi.yaml.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>

#include "deploy/api/api_handler.h"
#include "deploy/api/fake_plane.h"
#include "deploy/api/schema_check.h"
#include "runtime/server/fake_server.h"

namespace subito::api {

inline const OpenApi& open_api() {
  static const OpenApi kFile(SUBITO_SOURCE_DIR "/deploy/api/openapi.yaml");
  return kFile;
}

inline std::string sample_binary(const std::string& name) {
  std::ifstream file(ELF_SAMPLES "/elf_sample_" + name, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::string hash_of(const std::string& bytes) {
  store::Sha256 sha256;
  sha256.update(bytes);
  return sha256.hex();
}

class Api : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "subito-api-XXXXXX";
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
    auto opened = store::Store::open(folder_);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
    fill(plane_);
    handler_.emplace(plane_, *store_, loop_);
    server_.emplace(*handler_);
    handler_->attach(*server_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // Asks, lets callbacks come, and holds the answer to openapi.yaml.
  server::FakeAnswer ask(const std::string& method, const std::string& target,
                         const std::string& body = "") {
    const server::ExchangeId id = server_->request(method, target, body);
    settle();
    const server::FakeAnswer answer = server_->answer(id);
    EXPECT_TRUE(answer.ended) << method << " " << target;
    hold_to_the_file(method, target, answer);
    return answer;
  }
  void settle() {
    plane_.settle();
    while (uv_loop_alive(loop_.raw()) != 0) loop_.turn(true);
  }
  void hold_to_the_file(const std::string& method, const std::string& target,
                        const server::FakeAnswer& answer) {
    const Match match = match_route(method, target.substr(0, target.find('?')));
    if (match.route == nullptr) return;  // no operation: nothing that describes it
    EXPECT_EQ(open_api().wrong_with(std::string(match.route->pattern), method, answer.status,
                                    answer.field("content-type"), answer.body),
              "")
        << method << " " << target;
  }
  std::string put(const std::string& bytes) {
    EXPECT_EQ(ask("PUT", "/v1/artefacts/" + hash_of(bytes), bytes).status, 200);
    return hash_of(bytes);
  }
  std::string deploy_body(const std::string& hash, const std::string& name = "hello",
                          const std::string& spec = R"({"binary":"./hello"})") {
    return R"({"artefact":")" + hash +
           R"(","manifest":{"apiVersion":"subito.dev/v1","kind":"Function","metadata":{"name":")" +
           name + R"("},"spec":)" + spec + "}}";
  }
  static std::string problem(const server::FakeAnswer& answer) {
    const nlohmann::json json = nlohmann::json::parse(answer.body);
    EXPECT_EQ(json.at("status"), answer.status);
    return json.at("type").get<std::string>().substr(std::string("urn:subito:problem:").size());
  }

  std::string folder_;
  std::unique_ptr<store::Store> store_;
  Loop loop_;
  FakePlane plane_;
  std::optional<ApiHandler> handler_;
  std::optional<server::FakeServer> server_;
};

}  // namespace subito::api
