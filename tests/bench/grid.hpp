// SPDX-License-Identifier: MIT
// One xdg-shell window with several surfaces side by side. No surface hides another, because FIFO
// waits for frame callbacks, and a compositor sends none to a hidden surface.
#pragma once

#include <cstdint>
#include <vector>

#include "still/connection.hpp"

namespace fencebridge::bench {

struct Size {
    uint32_t width, height;
};

class Grid {
public:
    // Returns once buffers may be attached to the surfaces.
    Grid(still::Connection& connection, uint32_t surfaces, Size each);
    Grid(const Grid&) = delete;
    Grid& operator=(const Grid&) = delete;

    uint32_t size() const { return uint32_t(panes_.size()); }
    wl_surface* background() const { return background_.get(); }
    wl_surface* surface(uint32_t index) const { return panes_[index].surface.get(); }

private:
    struct Pane {
        still::Proxy<wl_surface> surface;
        still::Proxy<wl_subsurface> role;
    };
    void add_pane(still::Connection& connection, int32_t x, int32_t y);
    void add_role(still::Connection& connection);
    void show_background(still::Connection& connection);

    const Size each_;
    const uint32_t columns_;
    const uint32_t rows_;
    bool configured_ = false;
    // Destroyed from the last to the first: a role before its surface, and a child surface before
    // its parent.
    still::Proxy<wl_surface> background_;
    still::Proxy<wp_viewport> viewport_;
    still::Proxy<wl_buffer> pixel_;
    std::vector<Pane> panes_;
    still::Proxy<xdg_surface> xdg_surface_;
    still::Proxy<xdg_toplevel> toplevel_;
};

} // namespace fencebridge::bench
