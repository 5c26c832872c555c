// What encrypts connections, as the server sees it: bytes in, bytes out, no socket. runtime/tls is
// the one that is there; a server that is given none knows no cryptography.
//
// A SecureContext outlives the listeners it was given to; a SecureSession belongs to its connection
// and needs no context any more. On the server's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace subito::server {

class SecureSession {
 public:
  enum class Input : std::uint8_t {
    kOpen,
    kEnd,        // the client said that it sends no more
    kBroken,     // it is not who it should be, or speaks nonsense; `wire` may hold an alert for it
    kPlainHttp,  // it speaks HTTP without encryption; nothing was taken
  };

  virtual ~SecureSession() = default;
  // Takes all of `bytes`, as they came from the socket. Appends what they say to `plain`, at most
  // as many bytes, and what has to go back to `wire`.
  virtual Input receive(std::string_view bytes, std::string& plain, std::string& wire) = 0;
  virtual bool established() const = 0;  // the handshake is over: seal() may be called
  // Appends `plain`, encrypted, to `wire`. False: it cannot go on.
  virtual bool seal(std::string_view plain, std::string& wire) = 0;
  // Says that nothing more comes; before the end of the handshake nothing.
  virtual void finish(std::string& wire) = 0;
};

class SecureContext {
 public:
  virtual ~SecureContext() = default;
  // For a connection that was accepted; null when memory is short.
  virtual std::unique_ptr<SecureSession> begin() = 0;
};

}  // namespace subito::server
