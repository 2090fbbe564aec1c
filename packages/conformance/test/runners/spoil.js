import process from "node:process";

/** With `SESSIONS_TEST_SPOIL` set, a driver that lies about ids which were never created; else the driver as it is. */
export function spoil(driver) {
  if (!process.env.SESSIONS_TEST_SPOIL) return driver;
  return {
    ...driver,
    async commit(id, change, now) {
      return (await driver.load(id)) ? driver.commit(id, change, now) : "committed";
    },
  };
}
