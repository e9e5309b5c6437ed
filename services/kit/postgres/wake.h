#pragma once
// A flag that ends a poll(). Owns an eventfd.

namespace breakwire::kit {

class Wake {
 public:
  Wake();  ///< throws std::system_error
  ~Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  void raise();  ///< thread-safe; readable from here on
  void lower();  ///< as if never raised
  bool raised() const;
  int fd() const { return fd_; }  ///< readable while raised

 private:
  int fd_;
};

}  // namespace breakwire::kit
