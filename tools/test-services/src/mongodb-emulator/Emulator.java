import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.List;

/** An imitation of MongoDB, in memory. Its argument is the loopback port. */
public final class Emulator {
  public static void main(String[] args) {
    MemoryBackend backend = new MemoryBackend();
    backend.version(new Version());
    new MongoServer(backend).bind("127.0.0.1", Integer.parseInt(args[0]));
    System.out.println("ready");
  }

  /** The emulator reports a wire version for 5.0 that today's clients refuse, so report this one. */
  private static final class Version implements MongoVersion {
    @Override
    public List<Integer> getVersionArray() {
      return List.of(5, 0, 0);
    }

    @Override
    public int getWireVersion() {
      return 13;
    }
  }
}
