#include "deploy/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace subito::cli {
namespace {

// Of xterm, and of whatever else is used today: alternate screen, cursor, wrapping of lines.
constexpr char kEnter[] = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr char kLeave[] = "\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr std::size_t kRowsUnknown = 24;

}  // namespace

Terminal::Terminal(std::ostream& out, int in, int out_fd) : out_(out), in_(in), out_fd_(out_fd) {
  termios mode{};
  if (::tcgetattr(in_, &mode) == 0) {
    before_ = mode;
    mode.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    mode.c_cc[VMIN] = 0;
    mode.c_cc[VTIME] = 0;
    ::tcsetattr(in_, TCSANOW, &mode);
  }
  out_ << kEnter << std::flush;
}

Terminal::~Terminal() {
  out_ << kLeave << std::flush;
  if (before_) ::tcsetattr(in_, TCSANOW, &*before_);
}

std::size_t Terminal::rows() const {
  winsize size{};
  const bool known = ::ioctl(out_fd_, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
  return known ? size.ws_row : kRowsUnknown;
}

std::optional<char> Terminal::key() const {
  char pressed = 0;
  if (!before_ || ::read(in_, &pressed, 1) != 1) return std::nullopt;
  return pressed;
}

void Terminal::draw(const std::string& text) {
  std::string frame = "\x1b[H";
  for (const char c : text) {
    if (c == '\n') frame += "\x1b[K";
    frame += c;
  }
  out_ << frame << "\x1b[J" << std::flush;
}

}  // namespace subito::cli
