#include "runtime/node/traces/curl_sender.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include "deploy/api/curl_library.h"
#include "runtime/base/check.h"

namespace subito::node {
namespace {

using api::curl_library;

constexpr std::size_t kReplyBytesMax = 64 << 10;  // of which nothing is read but a count
constexpr long kConnectMs = 3000;

struct CurlFree {
  void operator()(CURL* curl) const { curl_library().easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_library().slist_free_all(list); }
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& reply = *static_cast<ExportReply*>(user);
  reply.body.append(data,
                    std::min(size, kReplyBytesMax - std::min(kReplyBytesMax, reply.body.size())));
  return size;
}

// Seconds only; a date is not worth it here.
std::size_t take_header(char* data, std::size_t, std::size_t size, void* user) {
  constexpr std::string_view kName = "retry-after:";
  std::string line(data, size);
  std::transform(line.begin(), line.end(), line.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (!line.starts_with(kName)) return size;
  const std::size_t begin = line.find_first_not_of(' ', kName.size());
  unsigned seconds = 0;
  if (begin == line.npos) return size;
  if (std::from_chars(line.data() + begin, line.data() + line.size(), seconds).ec == std::errc())
    static_cast<ExportReply*>(user)->retry_after = std::chrono::seconds(seconds);
  return size;
}

int look(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return (*static_cast<const std::function<bool()>*>(user))() ? 1 : 0;
}

class CurlSender final : public SpanSender {
 public:
  // The library is loaded here, so that a node without it ends at its start and not at a request.
  explicit CurlSender(std::string url) : url_(std::move(url)) { (void)curl_library(); }

  ExportReply send(const std::string& body, Duration timeout,
                   const std::function<bool()>& give_up) override {
    if (!curl_) prepare();
    ExportReply reply;
    set(CURLOPT_POSTFIELDS, body.data());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    set(CURLOPT_WRITEDATA, &reply);
    set(CURLOPT_HEADERDATA, &reply);
    set(CURLOPT_XFERINFODATA, &give_up);
    set(CURLOPT_TIMEOUT_MS,
        static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count()));
    const CURLcode code = curl_library().easy_perform(curl_.get());
    long status = 0;
    curl_library().easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK) {
      reply.status = static_cast<int>(status);
    } else {
      reply.error = url_ + ": " + curl_library().easy_strerror(code);
    }
    return reply;
  }

 private:
  template <typename Value>
  void set(CURLoption option, Value value) {
    CHECK(curl_library().easy_setopt(curl_.get(), option, value) == CURLE_OK);
  }

  void prepare() {
    curl_.reset(curl_library().easy_init());
    CHECK(curl_ != nullptr);
    const std::string type = std::string("Content-Type: ") + traces::kOtlpContentType;
    headers_.reset(curl_library().slist_append(nullptr, type.c_str()));
    set(CURLOPT_URL, url_.c_str());
    set(CURLOPT_HTTPHEADER, headers_.get());
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_CONNECTTIMEOUT_MS, kConnectMs);
    set(CURLOPT_NOPROXY, "*");
    set(CURLOPT_WRITEFUNCTION, take_body);
    set(CURLOPT_HEADERFUNCTION, take_header);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, look);
  }

  const std::string url_;
  std::unique_ptr<CURL, CurlFree> curl_;  // made by the thread that uses it
  std::unique_ptr<curl_slist, CurlFree> headers_;
};

}  // namespace

std::unique_ptr<SpanSender> make_curl_sender(std::string url) {
  return std::make_unique<CurlSender>(traces_url(std::move(url)));
}

std::string traces_url(std::string url) {
  const std::size_t host = url.find("://");
  const std::size_t path = url.find('/', host == url.npos ? 0 : host + 3);
  if (path == url.npos) return url + "/v1/traces";
  return path + 1 == url.size() ? url + "v1/traces" : url;
}

}  // namespace subito::node
