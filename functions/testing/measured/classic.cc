// Not a function: what is started for each connection by the classic ways to do so, with nothing of
// Subito in it. Answers 200 with what was sent: by CGI (RFC 3875) where a web server says so, else
// one HTTP request from the standard input, as inetd hands a connection over.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

constexpr std::size_t kHeadBytesMax = 16 << 10;

bool read_more(std::string& text) {
  char buffer[4096];
  const ssize_t size = ::read(STDIN_FILENO, buffer, sizeof buffer);
  if (size <= 0) return false;
  text.append(buffer, static_cast<std::size_t>(size));
  return true;
}

bool read_up_to(std::string& text, std::size_t size) {
  while (text.size() < size) {
    if (!read_more(text)) return false;
  }
  return true;
}

int answer(const char* status_line, const std::string& body) {
  const std::string text =
      status_line +
      ("Content-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) +
       "\r\nConnection: close\r\n\r\n") +
      body;
  return ::write(STDOUT_FILENO, text.data(), text.size()) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int answer_cgi() {
  const char* length = std::getenv("CONTENT_LENGTH");
  std::string body;
  if (length != nullptr && !read_up_to(body, std::strtoul(length, nullptr, 10))) {
    return EXIT_FAILURE;
  }
  return answer("Status: 200\r\n", body);
}

int answer_connection() {
  std::string text;
  std::size_t end = text.npos;
  while ((end = text.find("\r\n\r\n")) == text.npos) {
    if (text.size() > kHeadBytesMax || !read_more(text)) return EXIT_FAILURE;
  }
  text[end] = '\0';  // the head alone is looked through
  const char* length = ::strcasestr(text.c_str(), "\r\ncontent-length:");
  const std::size_t size =
      length == nullptr ? 0 : std::strtoul(std::strchr(length, ':') + 1, nullptr, 10);
  const std::size_t begin = end + 4;
  if (!read_up_to(text, begin + size)) return EXIT_FAILURE;
  return answer("HTTP/1.1 200 OK\r\n", text.substr(begin, size));
}

}  // namespace

int main() {
  return std::getenv("GATEWAY_INTERFACE") != nullptr ? answer_cgi() : answer_connection();
}
