#include "io/xdmf.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <string>
#include <vector>

#include "io/hdf5_file.hpp"
#include "io/text_file.hpp"
#include "qheat/parallel/index.hpp"

namespace qheat {
namespace {

constexpr const char* kTemperature = "/heat/temperature";

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

/// Of the output at `time`, or of a steady state; slowest axis first.
std::string grid(const std::string& source, const std::vector<Index>& shape, std::array<Index, 3> cells,
                 double spacing, Index time, double value, bool steady) {
  const std::array<Index, 3> corners = {cells[0] + 1, cells[1] + 1, cells[2] + 1};
  const std::string data = fmt::format(
      "<DataItem Format=\"HDF\" NumberType=\"Float\" Precision=\"8\" Dimensions=\"{}\">{}</DataItem>",
      fmt::join(steady ? std::vector<Index>(cells.begin(), cells.end()) : shape, " "), source);
  std::vector<Index> start(shape.size(), 0);
  std::vector<Index> count = shape;
  start.front() = time;
  count.front() = 1;
  const std::string slab =
      steady ? data
             : fmt::format(
                   "<DataItem ItemType=\"HyperSlab\" Dimensions=\"{}\">\n"
                   "          <DataItem Dimensions=\"3 {}\" Format=\"XML\">{} {} {}</DataItem>\n"
                   "          {}\n"
                   "        </DataItem>",
                   fmt::join(cells, " "), shape.size(), fmt::join(start, " "),
                   fmt::join(std::vector<Index>(shape.size(), 1), " "), fmt::join(count, " "), data);
  return fmt::format(
      "    <Grid Name=\"cells\" GridType=\"Uniform\">\n"
      "      <Time Value=\"{:.17g}\"/>\n"
      "      <Topology TopologyType=\"3DCoRectMesh\" Dimensions=\"{}\"/>\n"
      "      <Geometry GeometryType=\"ORIGIN_DXDYDZ\">\n"
      "        <DataItem Dimensions=\"3\" Format=\"XML\">0 0 0</DataItem>\n"
      "        <DataItem Dimensions=\"3\" Format=\"XML\">{:.17g} {:.17g} {:.17g}</DataItem>\n"
      "      </Geometry>\n"
      "      <Attribute Name=\"temperature\" AttributeType=\"Scalar\" Center=\"Cell\">\n"
      "        {}\n"
      "      </Attribute>\n"
      "    </Grid>\n",
      value, fmt::join(corners, " "), spacing, spacing, spacing, slab);
}

}  // namespace

std::filesystem::path xdmf_file(const std::filesystem::path& results) {
  return std::filesystem::path(results).replace_extension(".xdmf");
}

void write_xdmf(const std::filesystem::path& results) {
  const hdf5::File file = hdf5::File::open(results);
  const std::vector<Index> shape = file.shape(kTemperature);
  const bool steady = !file.has_attribute("/heat", "steps");
  const std::vector<double> times = steady ? std::vector<double>{0.0} : file.read("/time");
  const double spacing = 2.0 * file.read("/heat/x").front();  // the first middle is half a cell from the edge
  const std::size_t axes = shape.size() - (steady ? 0 : 1);
  std::array<Index, 3> cells = {1, 1, 1};
  for (std::size_t axis = 0; axis < axes; ++axis) cells[3 - axes + axis] = shape[shape.size() - axes + axis];
  const std::string source = escaped(results.filename().string()) + ":" + kTemperature;
  TextFile text(xdmf_file(results));
  text.write(
      "<?xml version=\"1.0\" ?>\n"
      "<Xdmf Version=\"3.0\">\n"
      "<Domain>\n"
      "  <Grid Name=\"heat\" GridType=\"Collection\" CollectionType=\"Temporal\">\n");
  for (std::size_t t = 0; t < times.size(); ++t)
    text.write(grid(source, shape, cells, spacing, static_cast<Index>(t), times[t], steady));
  text.write("  </Grid>\n</Domain>\n</Xdmf>\n");
  text.finish();
}

}  // namespace qheat
