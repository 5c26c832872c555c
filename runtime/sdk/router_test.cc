#include <gtest/gtest.h>

#include "runtime/sdk/include/subito/function.h"

namespace subito {
namespace {

// A Context for handlers that use none of it.
class NoContext final : public Context {
 public:
  std::chrono::steady_clock::time_point deadline() const override { return {}; }
  bool cancelled() override { return false; }
  const std::string& request_id() const override { return nothing_; }
  const std::string& traceparent() const override { return nothing_; }
  const std::string& function() const override { return nothing_; }
  const std::string& pod() const override { return nothing_; }
  Logger& log() override { throw std::logic_error("no logger"); }
  std::optional<std::string> setting(std::string_view) const override { return std::nullopt; }
  Redis& redis(std::string_view) override { throw std::out_of_range("no redis"); }
  int connect(std::string_view) override { throw std::out_of_range("no binding"); }
  PendingCall start_call(std::string_view, const Request&) override {
    throw CallError("not-found", "");
  }

 private:
  std::string nothing_;
};

Handler says(const std::string& word) {
  return [word](const Request&, Context&) { return Response::text(word); };
}

Handler says_parameter(const std::string& name) {
  return [name](const Request& request, Context&) { return Response::text(request.param(name)); };
}

class RouterTest : public testing::Test {
 protected:
  Response ask(const std::string& method, const std::string& path) {
    return router_(Request(method, path), context_);
  }
  std::string get(const std::string& path) { return ask("GET", path).body(); }

  NoContext context_;
  Router router_;
};

TEST_F(RouterTest, FindsLiteralPathsExactly) {
  router_.get("/", says("root")).get("/products", says("list")).get("/products/", says("slash"));
  EXPECT_EQ(get("/"), "root");
  EXPECT_EQ(get("/products"), "list");
  EXPECT_EQ(get("/products/"), "slash");
  EXPECT_EQ(ask("GET", "/product").status(), 404);
  EXPECT_EQ(ask("GET", "/products/7").status(), 404);
}

TEST_F(RouterTest, ParametersMatchOneSegmentAndAreDecoded) {
  router_.get("/products/{id}", says_parameter("id"))
      .get("/products/{product}/parts/{part}", says_parameter("part"));
  EXPECT_EQ(get("/products/7"), "7");
  EXPECT_EQ(get("/products/a%2Fb%20c"), "a/b c");
  EXPECT_EQ(get("/products/7/parts/9"), "9");
  EXPECT_EQ(ask("GET", "/products/").status(), 404);
  EXPECT_EQ(ask("GET", "/products/7/8").status(), 404);
}

TEST_F(RouterTest, ALiteralWinsOverAParameterAndThatOverTheRest) {
  router_.get("/{rest...}", says_parameter("rest"))
      .get("/p/{id}", says("parameter"))
      .get("/p/new", says("literal"));
  EXPECT_EQ(get("/p/new"), "literal");
  EXPECT_EQ(get("/p/7"), "parameter");
  EXPECT_EQ(get("/p/7/8"), "p/7/8");
  EXPECT_EQ(get("/"), "");
}

TEST_F(RouterTest, FallsBackWhenTheMoreSpecificPathHasNotThatMethod) {
  router_.post("/p/new", says("made")).get("/p/{id}", says("read"));
  EXPECT_EQ(get("/p/new"), "read");
  EXPECT_EQ(ask("POST", "/p/new").body(), "made");
}

TEST_F(RouterTest, AnotherMethodIs405WithAllow) {
  router_.get("/p", says("g")).put("/p", says("p"));
  const Response response = ask("DELETE", "/p");
  EXPECT_EQ(response.status(), 405);
  EXPECT_EQ(response.headers().get("allow"), "GET, HEAD, PUT, OPTIONS");
  EXPECT_EQ(response.headers().get("content-type"), "application/problem+json");
}

TEST_F(RouterTest, HeadIsServedByGetAndOptionsByTheRouter) {
  router_.get("/p", says("g")).add("OPTIONS", "/own", says("own"));
  EXPECT_EQ(ask("HEAD", "/p").status(), 200);
  EXPECT_EQ(ask("OPTIONS", "/p").status(), 204);
  EXPECT_EQ(ask("OPTIONS", "/p").headers().get("allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(ask("OPTIONS", "/own").body(), "own");
  EXPECT_EQ(ask("OPTIONS", "/none").status(), 404);
}

TEST_F(RouterTest, NothingMayFollowTheRest) {
  EXPECT_THROW(router_.get("/{rest...}/more", says("x")), std::invalid_argument);
}

TEST_F(RouterTest, ALongPathIsNotExpensive) {
  std::string pattern;
  std::string path;
  for (int i = 0; i < 20; ++i) {
    router_.get(pattern + "/{x}", says("p")).get(pattern + "/a", says("l"));
    pattern += i % 2 == 0 ? "/{x}" : "/a";
    path += "/a";
  }
  EXPECT_EQ(ask("GET", path + "/b/c").status(), 404);
}

}  // namespace
}  // namespace subito
