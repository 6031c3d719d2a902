/** Prints the JVM options that Spark needs, as Spark itself knows them. */
public class ModuleOptions {
  public static void main(String[] arguments) {
    System.out.println(org.apache.spark.launcher.JavaModuleOptions.defaultModuleOptions());
  }
}
