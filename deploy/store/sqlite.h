// RAII over SQLite: one connection, prepared statements, transactions. Owned by the Store; one
// thread. Every error becomes "doing: reason" with SQLite's own words.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace subito::store {

// A piece of binary data to bind or that was read.
struct Blob {
  std::string_view bytes;
};

class Statement {
 public:
  Statement(sqlite3* database, sqlite3_stmt* statement);

  // Binds the arguments to ?1, ?2, ... The texts must live until the statement has run.
  template <typename... Args>
  Statement& bind(const Args&... args) {
    int index = 0;
    (bind_one(++index, args), ...);
    return *this;
  }
  // True: there is a row, its columns can be read until the next step().
  Result<bool> step();
  // Runs to the end; for statements without rows.
  Status run();

  std::int64_t integer(int column) const;
  std::string text(int column) const;  // also blobs, as they are
  bool is_null(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  void bind_one(int index, std::int64_t value);
  void bind_one(int index, std::string_view text);
  void bind_one(int index, Blob blob);

  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  // Opens or makes the file, with write-ahead log, full synchronisation and foreign keys.
  static Result<Database> open(const std::string& path);

  // To read only, beside whoever writes it; changes nothing, the log neither.
  static Result<Database> open_reading(const std::string& path);

  // In memory, what `from` holds at one moment: nobody waits for who works on it.
  static Result<Database> copy_in_memory(Database& from);

  Result<Statement> prepare(const char* sql);
  Status execute(const char* sql);  // several statements, no arguments
  // prepare, bind, run.
  template <typename... Args>
  Status run(const char* sql, const Args&... args) {
    ASSIGN_OR_RETURN(Statement statement, prepare(sql));
    return statement.bind(args...).run();
  }
  // How many rows the last statement changed.
  int changes() const { return sqlite3_changes(handle_.get()); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  explicit Database(sqlite3* handle) : handle_(handle) {}
  std::unique_ptr<sqlite3, Close> handle_;
};

// All or nothing: rolled back when it goes without commit().
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Status commit();

 private:
  explicit Transaction(Database* database) : database_(database) {}
  Database* database_;  // null once it is over
};

}  // namespace subito::store
