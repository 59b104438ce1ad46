// SPDX-License-Identifier: MIT
#include "listening_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <string>

namespace fencebridge::test {
namespace {

Fd new_socket() { return Fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
}

std::filesystem::path make_folder() {
    std::string name = std::filesystem::temp_directory_path() / "fake-compositor-XXXXXX";
    return mkdtemp(name.data()) ? name : std::string();
}

} // namespace

ListeningSocket::ListeningSocket() : path_(make_folder() / "wayland-0"), fd_(new_socket()) {
    const sockaddr_un address = address_of(path_);
    if (bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(fd_.get(), SOMAXCONN) != 0)
        fd_ = Fd();
}

ListeningSocket::~ListeningSocket() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
    std::filesystem::remove(path_.parent_path(), ignored);
}

Fd ListeningSocket::connect() const {
    Fd client = new_socket();
    const sockaddr_un address = address_of(path_);
    if (::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return {};
    return client;
}

} // namespace fencebridge::test
