// Terminal: the whole screen of a terminal, redrawn in place, and keys as they are pressed. From
// its making to its end the terminal is in another mode (termios(3), the alternate screen); its end
// puts everything back. Owned by the command, on its thread. Ctrl-C stays a signal: interrupt.h.
#pragma once

#include <termios.h>

#include <optional>
#include <ostream>
#include <string>

namespace subito::cli {

class Terminal {
 public:
  // `in`: where keys come from; when that is no terminal there are none.
  Terminal(std::ostream& out, int in, int out_fd);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  std::size_t rows() const;
  // What poll(2) may wait on; -1: no keys.
  int fd() const { return before_ ? in_ : -1; }
  std::optional<char> key() const;  // one that was pressed; does not wait
  // Lines that are too long are cut by the terminal.
  void draw(const std::string& text);

 private:
  std::ostream& out_;
  const int in_;
  const int out_fd_;
  std::optional<termios> before_;
};

}  // namespace subito::cli
