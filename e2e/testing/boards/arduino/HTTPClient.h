// For tests: the part of ESP32's HTTPClient and String that the recipe uses, over a socket of this machine. Every
// address is replaced by the one in MESH_HOST and MESH_PORT.
#pragma once
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

class String {
 public:
  String(const char *text) : text_(text) {}
  String(float value, int decimals) {
    char digits[64];
    std::snprintf(digits, sizeof digits, "%.*f", decimals, value);
    text_ = digits;
  }
  String operator+(const char *more) const { return String((text_ + more).c_str()); }
  friend String operator+(const char *text, const String &more) { return String((text + more.text_).c_str()); }
  const std::string &text() const { return text_; }

 private:
  std::string text_;
};

class HTTPClient {
 public:
  void begin(const String &url) {
    const std::string &text = url.text();
    const size_t host = text.find("//") + 2;
    const size_t path = text.find('/', host);
    head_ = "POST " + text.substr(path) + " HTTP/1.1\r\n";
    head_ += std::string("Host: ") + std::getenv("MESH_HOST") + ":" + std::getenv("MESH_PORT") + "\r\n";
  }
  void addHeader(const String &name, const String &value) {
    head_ += name.text() + ": " + value.text() + "\r\n";
  }
  // Returns the status, or -1 without a connection.
  int POST(const String &body) {
    const int handle = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(std::atoi(std::getenv("MESH_PORT")));
    inet_pton(AF_INET, std::getenv("MESH_HOST"), &address.sin_addr);
    if (connect(handle, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0) return -1;
    const std::string &content = body.text();
    const std::string request = head_ + "Connection: close\r\nContent-Length: " + std::to_string(content.size()) +
                                "\r\n\r\n" + content;
    if (write(handle, request.data(), request.size()) != static_cast<ssize_t>(request.size())) return -1;
    std::string answer;
    char part[4096];
    for (ssize_t count; (count = read(handle, part, sizeof part)) > 0;) answer.append(part, count);
    close(handle);
    std::printf("%s\n", answer.c_str());
    return std::atoi(answer.c_str() + answer.find(' '));
  }
  void end() { head_.clear(); }

 private:
  std::string head_;
};
