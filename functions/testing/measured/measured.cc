// What the benchmarks ask: answers that are the same every time, so that each of their bytes can be
// checked, and that cost the handler next to nothing.
//
//   /empty            200 without a body
//   /json             a product in 200 bytes of JSON
//   /held             200 without a body, after 250 ms
//   /large            100 KiB of JSON, a list of that product
//   /calls?n=N        calls the function `measured` for /json N times, then answers as /json
#include <subito/function.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

constexpr char kCalled[] = "measured";
constexpr unsigned kCallsMax = 10'000;

// 200 bytes; bench/suites/answers.h has the same.
constexpr char kProduct[] =
    R"({"id":"OLJCESPC7Z","name":"Sunglasses","description":"Add a modern touch to your outfits )"
    R"(with these sleek aviator glasses.","priceUsd":{"currencyCode":"USD","units":19,)"
    R"("nanos":990000000},"pieces":120})";
static_assert(sizeof kProduct - 1 == 200);

subito::Response empty(const subito::Request&, subito::Context&) {
  return subito::Response();
}

// bench/suites/answers.h has the same.
constexpr std::chrono::milliseconds kHold{250};

subito::Response held(const subito::Request&, subito::Context&) {
  std::this_thread::sleep_for(kHold);
  return subito::Response();
}

subito::Response json(const subito::Request&, subito::Context&) {
  return subito::Response::json(kProduct);
}

// bench/suites/answers.h makes the same.
std::string large_text() {
  constexpr std::size_t kLargeBytes = 100 << 10;
  std::string text = "[";
  text.reserve(kLargeBytes);
  while (text.size() + sizeof kProduct + 1 <= kLargeBytes) {
    if (text.size() > 1) text += ',';
    text += kProduct;
  }
  text.append(kLargeBytes - 1 - text.size(), ' ');
  text += ']';
  return text;
}

subito::Response large(const subito::Request&, subito::Context&) {
  return subito::Response::json(large_text());
}

unsigned calls_wanted(const subito::Request& request) {
  try {
    const unsigned long wanted = std::stoul(request.query("n").value_or("1"));
    if (wanted <= kCallsMax) return static_cast<unsigned>(wanted);
  } catch (const std::exception&) {
  }
  throw subito::HttpError(400, "bad-query", "n is a number up to " + std::to_string(kCallsMax));
}

subito::Response calls(const subito::Request& request, subito::Context& context) {
  for (unsigned left = calls_wanted(request); left > 0; --left) {
    const subito::Response answer = context.call(kCalled, subito::Request("GET", "/json"));
    if (answer.status() != 200 || answer.body() != kProduct) {
      throw subito::HttpError(502, "wrong-answer", "the called one answered something else");
    }
  }
  return subito::Response::json(kProduct);
}

}  // namespace

int main(int argc, char** argv) {
  subito::Router router;
  router.get("/empty", empty);
  router.get("/held", held);
  router.get("/json", json);
  router.get("/large", large);
  router.get("/calls", calls);
  return subito::serve(argc, argv, std::move(router));
}
