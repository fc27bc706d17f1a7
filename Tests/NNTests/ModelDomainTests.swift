import NN
import Tensors
import Testing

@Suite struct ModelDomainTests {
  private func message(
    _ change: (inout ModelConfiguration) -> Void = { _ in }, patch: Extent? = nil
  ) -> String? {
    var model = ModelConfiguration(
      inputs: 1, outputs: 2, attention: ModelConfiguration.mid(scales: 6))
    change(&model)
    do throws(ModelError) { try model.validate(patch: patch) } catch { return "\(error)" }
    return nil
  }

  @Test func `the defaults are inside`() {
    #expect(message(patch: Extent(depth: 64, height: 32, width: 96)) == nil)
    for scales in 2...8 {
      #expect(
        message {
          $0.scales = scales
          $0.attention = ModelConfiguration.full(scales: scales)
        } == nil)
      #expect(
        message {
          $0.scales = scales
          $0.attention = ModelConfiguration.mid(scales: scales)
        } == nil)
    }
  }

  @Test func `a patch size is named with its nearest multiples`() throws {
    let text = try #require(message(patch: Extent(depth: 64, height: 50, width: 64)))
    #expect(text.contains("data.patchSize (y): 50"))
    #expect(text.contains("nearest valid: 32, 64"))
    let small = try #require(message(patch: Extent(depth: 64, height: 64, width: 20)))
    #expect(small.contains("data.patchSize (x): 20") && small.contains("nearest valid: 32"))
  }

  @Test func `channels are multiples of 16 and of the groups`() throws {
    let text = try #require(message { $0.channels = 40 })
    #expect(text.contains("model.channels: 40") && text.contains("32, 48"))
    let groups = try #require(message { $0.groups = 6 })
    #expect(groups.contains("model.channels: 32") && groups.contains("nearest valid: 48"))
    #expect(try #require(message { $0.maximumChannels = 0 }).contains("model.maximumChannels: 0"))
  }

  @Test func `an even dilated kernel is refused with kernels that are odd`() throws {
    let text = try #require(message { $0.attention[0].kernelSize = 10 })
    #expect(text.contains("model.attention[0].kernelSize: 10"))
    #expect(text.contains("nearest valid: 9, 13"))
    for size in [9, 13] { #expect(message { $0.attention[0].kernelSize = size } == nil) }
  }

  @Test func `a kernel that is not decomposed has any size up to the article's`() throws {
    func kernel(_ size: Int) -> String? {
      message { $0.attention = [.init(scale: 1, kernelSize: size, dilation: 1, kind: .whole)] }
    }
    #expect(kernel(4) == nil && kernel(21) == nil)
    #expect(try #require(kernel(22)).contains("nearest valid: 21"))
    #expect(message { $0.attention = ModelConfiguration.cbam(scales: 6) } == nil)
  }

  @Test func `attention is placed in decoder stages, once each`() throws {
    let low = try #require(message { $0.attention[0].scale = 5 })
    #expect(low.contains("model.attention[0].scale: 5") && low.contains("nearest valid: 4"))
    let twice = try #require(message { $0.attention.append($0.attention[0]) })
    #expect(twice.contains("model.attention[1].scale: 2") && twice.contains("0, 1, 3, 4"))
  }

  @Test func `a network needs two scales, an output and a group`() {
    #expect(message { $0.scales = 1 }?.contains("model.scales: 1") == true)
    #expect(message { $0.outputs = 0 }?.contains("model.outputs: 0") == true)
    #expect(message { $0.groups = 0 }?.contains("model.groups: 0") == true)
  }
}
